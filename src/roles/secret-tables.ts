/** Tables that only root may read, passwords above all: mail reads their files before it becomes $mail_owner. */
import { type Configuration, settingsViews } from '#config';
import { copySecretFiles, isForRootOnly, pathOf, type TableCopies, type TableFile, tableFilesOf } from '#tables';
import { namedTables } from './table-parameters.ts';

type Views = Pick<Configuration, 'services' | 'settings' | 'settingsFor'>;

/** All files that tables are read from, and files of patterns. */
function tableFiles(configuration: Views): readonly TableFile[] {
  return settingsViews(configuration).flatMap((view) =>
    namedTables(view).flatMap(({ element }): readonly TableFile[] => {
      const text = element.text.replace(/^!+/, '');
      if (text.startsWith('/')) return [{ kind: 'text', path: text }];
      return text.includes(':') ? tableFilesOf(text, view) : [];
    }),
  );
}

/** Copies of what only root may read; to be made as root. */
export function copySecretTables(configuration: Views): TableCopies {
  return copySecretFiles(tableFiles(configuration));
}

/** The paths of what is read at the start only: when it changes, it has to be read again. */
export function secretTablePaths(configuration: Views): readonly string[] {
  return [...new Set(tableFiles(configuration).map(pathOf))].filter(isForRootOnly);
}
