/** What is built in: table types, lock methods, login types, notice texts. postconf(1) -m, -l, -a, -A, -b, -t, -T */
import type { Settings } from '#config';
import type { Mode } from './options.ts';

async function templates({ settings, path, warn, openProblem }: TemplateRequest, expands: boolean): Promise<string> {
  const { noticeTemplates } = await import('#bounce');
  const read = settings();
  const file = path ?? read.string('bounce_template_file');
  const shown = noticeTemplates(read, file, warn);
  if (typeof shown === 'string') return openProblem(shown);
  for (const { complaints, warnings, problem } of shown) {
    complaints.forEach(warn);
    if (!expands) continue;
    warnings.forEach(warn);
    if (problem !== undefined) return openProblem(problem);
  }
  return shown
    .map(({ name, text, expanded }) =>
      expands ? `expanded_${name}_text = <<EOF\n${expanded}EOF\n` : `${name}_template = <<EOF\n${text}EOF\n`,
    )
    .join('\n');
}

export interface TemplateRequest {
  readonly settings: () => Settings;
  /** A template file named on the command line. */
  readonly path: string | undefined;
  readonly warn: (text: string) => void;
  /** The template file can't be opened. */
  readonly openProblem: (text: string) => never;
}

const tlsTopics: Readonly<Record<string, () => string>> = {
  'compile-version': () => `OpenSSL ${process.versions.openssl ?? ''}\n`,
  'run-version': () => `OpenSSL ${process.versions.openssl ?? ''}\n`,
  // kinds of certificates, as smtpd_tls_dcert_file and its like name them
  'public-key-algorithms': () => 'dsa\necdsa\nrsa\n',
};

/** The text for a mode that shows no parameters. */
export async function builtInText(
  mode: Exclude<Mode, 'main' | 'entries' | 'fields' | 'entryParameters'>,
  tlsTopic: string,
  request: TemplateRequest,
): Promise<string | { readonly warning: string }> {
  switch (mode) {
    case 'tableTypes':
      return (await import('#tables')).tableTypes
        .toSorted()
        .map((type) => `${type}\n`)
        .join('');
    case 'locks':
      return 'flock\nfcntl\ndotlock\n';
    case 'serverSasl':
      return 'cyrus\ndovecot\n';
    // the client's built-in mechanisms answer to the name of Postfix's default
    case 'clientSasl':
      return 'cyrus\n';
    case 'templates':
      return templates(request, false);
    case 'expandedTemplates':
      return templates(request, true);
    case 'tlsInfo':
      return tlsTopics[tlsTopic]?.() ?? { warning: `unknown 'postconf -T' mode: ${tlsTopic}` };
  }
}
