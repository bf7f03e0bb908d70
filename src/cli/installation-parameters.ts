/** Where the programs, documents and users of an installation are: the same for all its instances. postconf(5) */
export const installationParameters = [
  'command_directory',
  'daemon_directory',
  'html_directory',
  'mail_owner',
  'mailq_path',
  'manpage_directory',
  'meta_directory',
  'newaliases_path',
  'readme_directory',
  'sendmail_path',
  'setgid_group',
  'shlib_directory',
] as const;
