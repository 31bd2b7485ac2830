import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { recall, remember } from '../lib/storage';
import { en } from './en';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

function preferred(): Language {
  const kept = recall<string>('language', '');
  if (kept in LANGUAGES) return kept as Language;
  return navigator.languages.find((l) => /^(en|de)\b/.test(l))?.startsWith('de') ? 'de' : 'en';
}

/** Only English is part of the first download. */
async function load(language: Language): Promise<void> {
  if (language === 'de' && !i18next.hasResourceBundle('de', 'translation')) {
    const [{ de }, { deDeclared }] = await Promise.all([import('./de'), import('./de-declared')]);
    i18next.addResourceBundle('de', 'declared', deDeclared);
    i18next.addResourceBundle('de', 'translation', de);
  }
}

/** The reader's words for what the server declares, by its name; else the server's own. */
export function declaredText(name: string, text: string): string {
  return i18next.t(name, { ns: 'declared', defaultValue: text });
}

export async function startTexts(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await show(preferred());
}

async function show(language: Language): Promise<void> {
  try {
    await load(language);
  } catch {
    return;
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function chooseLanguage(language: Language): Promise<void> {
  remember('language', language);
  await show(language);
}
