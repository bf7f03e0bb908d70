/**
 * main.cf for commands. Some parameters every program of Postfix reads when it starts: a wrong value of one stops each of
 * them, whatever it was going to do. Other values stop only who reads them. For numbers, times, yes/no and texts that must not be
 * empty Postfix was asked one parameter after the other; the others were found by single tests, so that there may be more.
 */
import { compareLevels } from './compatibility-level.ts';
import { badValues, levelProblem, openSettings } from './configuration.ts';
import { userProblems } from './named-users.ts';
import { ConfigError, type Settings } from './settings.ts';

const commonNames: readonly string[] = `
  address_verify_negative_cache address_verify_service_name application_event_drain_time
  backwards_bounce_logfile_compatibility berkeley_db_create_buffer_size berkeley_db_read_buffer_size
  bounce_service_name cleanup_service_name command_directory daemon_directory daemon_table_open_error_is_fatal
  daemon_timeout data_directory debug_peer_level default_database_type default_privs default_process_limit
  default_verp_delimiters defer_service_name delay_logging_resolution_limit deliver_lock_attempts deliver_lock_delay
  disable_dns_lookups disable_mime_input_processing disable_mime_output_conversion dns_ncache_ttl_fix_enable
  dont_remove double_bounce_sender enable_idna2003_compatibility enable_long_queue_ids enable_original_recipient
  error_service_name fault_injection_code flush_service_name fork_attempts fork_delay hash_queue_depth
  hash_queue_names header_address_token_limit header_size_limit helpful_warnings in_flow_delay inet_protocols
  info_log_address_format ipc_idle ipc_timeout ipc_ttl line_length_limit lmdb_map_size mail_name mail_owner
  maillog_file_compressor maillog_file_prefixes maillog_file_rotate_suffix max_idle max_use message_size_limit
  meta_directory mime_boundary_length_limit mime_nesting_limit multi_instance_enable mydomain myhostname
  mynetworks_style myorigin owner_request_special pickup_service_name postlog_service_name process_id_directory
  proxymap_service_name proxywrite_service_name queue_directory queue_service_name respectful_logging
  rewrite_service_name send_cyrus_sasl_authzid setgid_group shlib_directory showq_service_name
  smtputf8_autodetect_classes smtputf8_enable soft_bounce stale_lock_time strict_7bit_headers strict_8bitmime
  strict_8bitmime_body strict_mime_encoding_domain strict_smtputf8 syslog_facility syslog_name tcp_windowsize
  trace_service_name trigger_timeout verp_delimiter_filter
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
