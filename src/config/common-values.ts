/**
 * main.cf for commands. Some parameters every program of Postfix reads when it starts: a wrong value of one stops each of
 * them, whatever it was going to do. Other values stop only who reads them. For numbers, times and yes/no Postfix was asked
 * one parameter after the other; the others were found by single tests, so that there may be more of them.
 */
import { compareLevels } from './compatibility-level.ts';
import { badValues, levelProblem, openSettings } from './configuration.ts';
import { userProblems } from './named-users.ts';
import { ConfigError, type Settings } from './settings.ts';

const commonNames: readonly string[] = `
  address_verify_negative_cache application_event_drain_time backwards_bounce_logfile_compatibility
  berkeley_db_create_buffer_size berkeley_db_read_buffer_size command_directory daemon_directory
  daemon_table_open_error_is_fatal daemon_timeout data_directory debug_peer_level default_database_type
  default_privs default_process_limit delay_logging_resolution_limit deliver_lock_attempts deliver_lock_delay
  disable_dns_lookups disable_mime_input_processing disable_mime_output_conversion dns_ncache_ttl_fix_enable
  dont_remove enable_idna2003_compatibility enable_long_queue_ids enable_original_recipient fault_injection_code
  fork_attempts fork_delay hash_queue_depth header_address_token_limit header_size_limit helpful_warnings
  in_flow_delay inet_protocols ipc_idle ipc_timeout ipc_ttl line_length_limit lmdb_map_size mail_owner max_idle
  max_use message_size_limit mime_boundary_length_limit mime_nesting_limit multi_instance_enable mydomain
  myhostname owner_request_special queue_directory respectful_logging send_cyrus_sasl_authzid setgid_group
  smtputf8_enable soft_bounce stale_lock_time strict_7bit_headers strict_8bitmime strict_8bitmime_body
  strict_mime_encoding_domain strict_smtputf8 tcp_windowsize trigger_timeout
`
  .trim()
  .split(/\s+/);

/** Throws ConfigError for a file that can't be read, and for wrong values of what every program reads. */
export function openCommandSettings(directory: string): Settings {
  const { main, settings, registry } = openSettings(directory);
  const level = settings.string('compatibility_level');
  if (compareLevels(level, '1') === undefined) throw new ConfigError([levelProblem(main.path, level)]);
  const set = commonNames.filter((name) => settings.isSet(name)).flatMap((name) => registry.get(name) ?? []);
  const problems = [...badValues(settings, set)];
  if (problems.length === 0) problems.push(...userProblems(settings));
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}
