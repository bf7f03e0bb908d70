/**
 * Parameters that are read, checked and shown, and change nothing. What is in neither list has the effect that
 * postconf(5) describes; test/unit/config holds these lists to what the source really reads.
 */

/** About processes, sockets and files that this program does not have: nothing is lost by setting them. */
export const inertParameters = new Set(
  (
    'alternate_config_directories application_event_drain_time ' +
    'backwards_bounce_logfile_compatibility berkeley_db_create_buffer_size berkeley_db_read_buffer_size ' +
    'bounce_service_name command_directory connection_cache_protocol_timeout ' +
    'connection_cache_service_name connection_cache_status_update_time connection_cache_ttl_limit ' +
    'cyrus_sasl_config_path daemon_directory daemon_table_open_error_is_fatal daemon_timeout ' +
    'debug_peer_level debug_peer_list debugger_command ' +
    'default_extra_recipient_limit default_recipient_limit default_recipient_refill_delay ' +
    'default_recipient_refill_limit defer_service_name destination_concurrency_feedback_debug ' +
    'dns_ncache_ttl_fix_enable dnsblog_reply_delay dnsblog_service_name dont_remove ' +
    'error_extra_recipient_limit error_recipient_limit error_recipient_refill_delay ' +
    'error_recipient_refill_limit error_service_name fast_flush_purge_time fast_flush_refresh_time ' +
    'fault_injection_code flush_service_name fork_attempts fork_delay hash_queue_depth hash_queue_names ' +
    'html_directory in_flow_delay ipc_idle ipc_timeout ipc_ttl lmdb_map_size lmtp_extra_recipient_limit ' +
    'lmtp_recipient_limit lmtp_recipient_refill_delay lmtp_recipient_refill_limit lmtp_sasl_path ' +
    'local_extra_recipient_limit local_recipient_limit local_recipient_refill_delay ' +
    'local_recipient_refill_limit mail_release_date maillog_file_compressor maillog_file_rotate_suffix ' +
    'mailq_path maps_rbl_domains manpage_directory max_idle max_use meta_directory multi_instance_directories ' +
    'multi_instance_enable multi_instance_group multi_instance_wrapper ' +
    'newaliases_path non_bdb_custom_mapping non_bdb_migration_allow_root_prefixes ' +
    'non_bdb_migration_allow_user_prefixes non_bdb_migration_level non_bdb_migration_log_redirect ' +
    'non_bdb_migration_service_name openssl_path pickup_service_name postlog_service_name ' +
    'postlogd_watchdog_timeout postmulti_control_commands postmulti_start_commands ' +
    'postmulti_stop_commands postscreen_watchdog_timeout process_id_directory proxy_read_maps ' +
    'proxy_write_maps proxymap_service_name proxywrite_service_name qmgr_daemon_timeout qmgr_fudge_factor ' +
    'qmgr_ipc_timeout qmgr_message_recipient_minimum queue_file_attribute_count_limit queue_service_name ' +
    'readme_directory relay_extra_recipient_limit relay_recipient_limit relay_recipient_refill_delay ' +
    'relay_recipient_refill_limit retry_extra_recipient_limit retry_recipient_limit ' +
    'retry_recipient_refill_delay retry_recipient_refill_limit rewrite_service_name sample_directory ' +
    'sendmail_path service_throttle_time setgid_group shlib_directory showq_service_name ' +
    'smtp_extra_recipient_limit smtp_recipient_limit smtp_recipient_refill_delay ' +
    'smtp_recipient_refill_limit smtp_sasl_path ' +
    'smtpd_sasl_path ' +
    'sun_mailtool_compatibility tcp_windowsize ' +
    'tls_daemon_random_bytes tls_random_bytes tls_random_exchange_name tls_random_prng_update_period ' +
    'tls_random_reseed_period tls_random_source tlsmgr_service_name tlsproxy_client_CAfile ' +
    'tlsproxy_client_CApath tlsproxy_client_cert_file tlsproxy_client_chain_files ' +
    'tlsproxy_client_dcert_file tlsproxy_client_dkey_file tlsproxy_client_eccert_file ' +
    'tlsproxy_client_eckey_file tlsproxy_client_enforce_tls tlsproxy_client_fingerprint_digest ' +
    'tlsproxy_client_key_file tlsproxy_client_level tlsproxy_client_loglevel tlsproxy_client_per_site ' +
    'tlsproxy_client_policy tlsproxy_client_policy_maps tlsproxy_client_scert_verifydepth ' +
    'tlsproxy_client_security_level tlsproxy_client_use_tls tlsproxy_enforce_tls tlsproxy_service_name ' +
    'tlsproxy_tls_CAfile tlsproxy_tls_CApath tlsproxy_tls_always_issue_session_ids tlsproxy_tls_ask_ccert ' +
    'tlsproxy_tls_ccert_verifydepth tlsproxy_tls_cert_file tlsproxy_tls_chain_files tlsproxy_tls_ciphers ' +
    'tlsproxy_tls_dcert_file tlsproxy_tls_dh1024_param_file tlsproxy_tls_dh512_param_file ' +
    'tlsproxy_tls_dkey_file tlsproxy_tls_eccert_file tlsproxy_tls_eckey_file tlsproxy_tls_eecdh_grade ' +
    'tlsproxy_tls_enable_rpk tlsproxy_tls_exclude_ciphers tlsproxy_tls_fingerprint_digest ' +
    'tlsproxy_tls_key_file tlsproxy_tls_loglevel tlsproxy_tls_mandatory_ciphers ' +
    'tlsproxy_tls_mandatory_exclude_ciphers tlsproxy_tls_mandatory_protocols tlsproxy_tls_protocols ' +
    'tlsproxy_tls_req_ccert tlsproxy_tls_security_level tlsproxy_use_tls tlsproxy_watchdog_timeout ' +
    'trace_service_name trigger_timeout virtual_extra_recipient_limit virtual_recipient_limit ' +
    'virtual_recipient_refill_delay virtual_recipient_refill_limit'
  ).split(' '),
);

/** What they ask for is not there yet: setting one is warned of at every start. */
export const pendingParameters = new Set(
  (
    'allow_srv_lookup_fallback ' +
    'biff broken_sasl_auth_clients ' +
    'dnssec_probe empty_address_local_login_sender_maps_lookup_key ' +
    'enable_idna2003_compatibility force_mime_input_conversion ' +
    'ignore_srv_lookup_error info_log_address_format ' +
    'lmtp_cname_overrides_servername ' +
    'lmtp_log_tls_feature_status lmtp_min_data_rate lmtp_per_record_deadline lmtp_per_request_deadline ' +
    'lmtp_requiretls_policy lmtp_sasl_auth_cache_name lmtp_sasl_auth_cache_time ' +
    'lmtp_sasl_tls_verified_security_options lmtp_sasl_type lmtp_send_dummy_mail_auth lmtp_tls_CApath ' +
    'lmtp_tls_block_early_mail_reply lmtp_tls_cert_file lmtp_tls_chain_files lmtp_tls_ciphers ' +
    'lmtp_tls_connection_reuse lmtp_tls_dcert_file lmtp_tls_dkey_file lmtp_tls_eccert_file ' +
    'lmtp_tls_eckey_file lmtp_tls_enable_rpk lmtp_tls_enforce_sts_mx_patterns lmtp_tls_exclude_ciphers ' +
    'lmtp_tls_fingerprint_cert_match lmtp_tls_fingerprint_digest lmtp_tls_force_insecure_host_tlsa_lookup ' +
    'lmtp_tls_key_file lmtp_tls_loglevel_maps lmtp_tls_mandatory_ciphers ' +
    'lmtp_tls_mandatory_exclude_ciphers lmtp_tls_mandatory_protocols lmtp_tls_protocols ' +
    'lmtp_tls_scert_verifydepth lmtp_tls_secure_cert_match lmtp_tls_servername ' +
    'lmtp_tls_session_cache_database lmtp_tls_session_cache_timeout lmtp_tls_trace_size_limit ' +
    'lmtp_tls_trust_anchor_file lmtp_tls_verify_cert_match lmtp_tlsrpt_enable ' +
    'lmtp_tlsrpt_skip_reused_handshakes lmtp_tlsrpt_socket_name ' +
    'local_login_sender_maps milter_command_timeout milter_connect_macros ' +
    'milter_connect_timeout milter_content_timeout milter_data_macros milter_default_action ' +
    'milter_end_of_data_macros milter_end_of_header_macros milter_header_checks milter_helo_macros ' +
    'milter_macro_daemon_name milter_macro_defaults milter_macro_v milter_mail_macros milter_protocol ' +
    'milter_rcpt_macros milter_unknown_command_macros ' +
    'postscreen_starttls_timeout postscreen_tls_CAfile postscreen_tls_CApath ' +
    'postscreen_tls_always_issue_session_ids postscreen_tls_ask_ccert postscreen_tls_ccert_verifydepth ' +
    'postscreen_tls_cert_file postscreen_tls_chain_files postscreen_tls_ciphers postscreen_tls_dcert_file ' +
    'postscreen_tls_dh1024_param_file postscreen_tls_dh512_param_file postscreen_tls_dkey_file ' +
    'postscreen_tls_eccert_file postscreen_tls_eckey_file postscreen_tls_eecdh_grade ' +
    'postscreen_tls_enable_rpk postscreen_tls_exclude_ciphers postscreen_tls_fingerprint_digest ' +
    'postscreen_tls_key_file postscreen_tls_loglevel postscreen_tls_loglevel_maps ' +
    'postscreen_tls_mandatory_ciphers postscreen_tls_mandatory_exclude_ciphers ' +
    'postscreen_tls_mandatory_protocols postscreen_tls_protocols postscreen_tls_req_ccert ' +
    'postscreen_tls_trace_size_limit ' +
    'postscreen_use_tls ' +
    'qmqpd_authorized_clients qmqpd_client_port_logging qmqpd_error_delay qmqpd_timeout ' +
    'relay_clientcerts requiretls_enable requiretls_esmtp_header ' +
    'requiretls_redact_dsn send_cyrus_sasl_authzid smtp_cname_overrides_servername ' +
    'smtp_log_tls_feature_status smtp_min_data_rate smtp_per_record_deadline smtp_per_request_deadline ' +
    'smtp_requiretls_policy smtp_sasl_auth_cache_name smtp_sasl_auth_cache_time ' +
    'smtp_sasl_tls_verified_security_options smtp_sasl_type smtp_send_dummy_mail_auth smtp_tls_CApath ' +
    'smtp_tls_block_early_mail_reply smtp_tls_cert_file smtp_tls_chain_files smtp_tls_ciphers ' +
    'smtp_tls_connection_reuse smtp_tls_dane_insecure_mx_policy smtp_tls_dcert_file smtp_tls_dkey_file ' +
    'smtp_tls_eccert_file smtp_tls_eckey_file smtp_tls_enable_rpk smtp_tls_enforce_sts_mx_patterns ' +
    'smtp_tls_exclude_ciphers smtp_tls_fingerprint_cert_match smtp_tls_fingerprint_digest ' +
    'smtp_tls_force_insecure_host_tlsa_lookup smtp_tls_key_file smtp_tls_loglevel_maps ' +
    'smtp_tls_mandatory_ciphers smtp_tls_mandatory_exclude_ciphers smtp_tls_mandatory_protocols ' +
    'smtp_tls_protocols smtp_tls_scert_verifydepth smtp_tls_secure_cert_match smtp_tls_servername ' +
    'smtp_tls_session_cache_database smtp_tls_session_cache_timeout smtp_tls_trace_size_limit ' +
    'smtp_tls_trust_anchor_file smtp_tls_verify_cert_match smtp_tlsrpt_enable ' +
    'smtp_tlsrpt_skip_reused_handshakes smtp_tlsrpt_socket_name smtpd_client_auth_rate_limit ' +
    'smtpd_client_new_tls_session_rate_limit ' +
    'smtpd_milter_maps ' +
    'smtpd_sasl_authenticated_header ' +
    'smtpd_sasl_exceptions_networks smtpd_sasl_local_domain smtpd_sasl_mechanism_filter ' +
    'smtpd_sasl_response_limit smtpd_sasl_security_options smtpd_sasl_service ' +
    'smtpd_sasl_tls_security_options smtpd_sasl_type smtpd_sender_login_maps smtpd_starttls_timeout ' +
    'smtpd_tls_CAfile smtpd_tls_CApath smtpd_tls_always_issue_session_ids smtpd_tls_ask_ccert ' +
    'smtpd_tls_auth_only smtpd_tls_ccert_verifydepth smtpd_tls_cert_file smtpd_tls_chain_files ' +
    'smtpd_tls_ciphers smtpd_tls_dcert_file smtpd_tls_dh1024_param_file smtpd_tls_dh512_param_file ' +
    'smtpd_tls_dkey_file smtpd_tls_eccert_file smtpd_tls_eckey_file smtpd_tls_eecdh_grade ' +
    'smtpd_tls_enable_rpk smtpd_tls_exclude_ciphers smtpd_tls_fingerprint_digest smtpd_tls_key_file ' +
    'smtpd_tls_loglevel smtpd_tls_loglevel_maps smtpd_tls_mandatory_ciphers ' +
    'smtpd_tls_mandatory_exclude_ciphers smtpd_tls_mandatory_protocols smtpd_tls_protocols ' +
    'smtpd_tls_received_header smtpd_tls_req_ccert smtpd_tls_session_cache_database ' +
    'smtpd_tls_session_cache_timeout smtpd_tls_trace_size_limit ' +
    'smtpd_use_tls ' +
    'tls_append_default_CA tls_config_file tls_config_name tls_dane_digests ' +
    'tls_disable_workarounds tls_eecdh_auto_curves tls_eecdh_strong_curve tls_eecdh_ultra_curve ' +
    'tls_export_cipherlist tls_fast_shutdown_enable tls_ffdhe_auto_groups tls_high_cipherlist ' +
    'tls_low_cipherlist tls_medium_cipherlist tls_null_cipherlist tls_preempt_cipherlist ' +
    'tls_required_enable tls_server_sni_maps tls_session_ticket_cipher tls_ssl_options ' +
    'tls_trace_rate_limit tls_trust_server_ccerts tls_wildcard_matches_multiple_labels ' +
    'use_srv_lookup'
  ).split(' '),
);
