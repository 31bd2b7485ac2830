import '@mantine/core/styles.css';
import './styles.css';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { startTexts } from './i18n';
import { catchKasmLink } from './login/kasm-link';

catchKasmLink();
const root = document.getElementById('root');
if (root) {
  void startTexts().then(() => createRoot(root).render(<App />));
}
