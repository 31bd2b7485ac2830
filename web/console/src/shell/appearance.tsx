import { Stack, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, LANGUAGES, type Language } from '../i18n';
import { Choice } from '../lib/choice';

/** Light or dark, and the language. */
export function Appearance() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Stack gap={6}>
      <Choice
        label={t('shell.scheme')}
        value={colorScheme}
        onChange={setColorScheme}
        options={[
          { value: 'auto', label: t('shell.auto') },
          { value: 'light', label: t('shell.light') },
          { value: 'dark', label: t('shell.dark') },
        ]}
      />
      <Choice
        label={t('shell.language')}
        value={i18n.language as Language}
        onChange={(language) => void chooseLanguage(language)}
        options={(Object.keys(LANGUAGES) as Language[]).map((value) => ({
          value,
          label: LANGUAGES[value],
        }))}
      />
    </Stack>
  );
}
