/** The lines of main.cf that every test system has which `postfix start` starts: where it lives, who it runs as. */
export const commonSettings = (base: string): string => `compatibility_level = 3.11
queue_directory = ${base}/queue
data_directory = ${base}/data
maillog_file = ${base}/mail.log
maillog_file_prefixes = ${base}
mail_owner = daemon
myhostname = mail.example.com
`;
