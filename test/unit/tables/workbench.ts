/** Opens tables from files of a directory that lives as long as a test needs it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSettings, type Settings } from '#config';
import { type LookupResult, type Table, TableOpener, type TableUse } from '#tables';

export class Workbench {
  readonly directory = mkdtempSync(join(tmpdir(), 'tables-'));
  readonly warnings: string[] = [];
  readonly errors: string[] = [];
  readonly notes: string[] = [];
  readonly settings: Settings;
  readonly opener: TableOpener;

  constructor(mainCf = '') {
    this.write('main.cf', `compatibility_level = 3.6\n${mainCf}`);
    const { settings } = openSettings(this.directory);
    this.settings = settings;
    this.opener = new TableOpener({
      settings,
      configDirectory: this.directory,
      warn: (text) => this.warnings.push(text.replaceAll(this.directory, 'DIR')),
      note: (text) => this.notes.push(text.replaceAll(this.directory, 'DIR')),
      error: (text) => this.errors.push(text.replaceAll(this.directory, 'DIR')),
    });
  }

  /** The path of the new file. */
  write(name: string, ...lines: readonly string[]): string {
    const path = join(this.directory, name);
    writeFileSync(path, lines.join('\n'));
    return path;
  }

  open(spec: string, use?: TableUse): Table {
    return this.opener.open(spec, use);
  }

  async ask(spec: string, key: string): Promise<LookupResult> {
    return this.open(spec).lookup(key);
  }

  /** The value of a key; undefined when there is none. */
  async value(spec: string, key: string): Promise<string | undefined> {
    const result = await this.ask(spec, key);
    return result.kind === 'found' ? result.value : undefined;
  }

  [Symbol.dispose](): void {
    this.opener.closeAll();
    rmSync(this.directory, { recursive: true });
  }
}
