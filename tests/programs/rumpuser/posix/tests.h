/* Tests of what only a host process serves. */
/* shmif.c */
T(shmif_bus_is_shared)
T(shmif_mmap_of_what_is_not_open)
T(shmif_watch_of_what_is_no_bus)
T(shmif_write_wakes_the_others)
T(shmif_write_before_the_wait_is_not_lost)
T(shmif_one_queue_watches_two_buses)
/* Begun by conformance.rs, which sees to the other process. */
W(shmif_answers_another_process)
/* sockin.c */
T(sockin_tcp_connects_and_transfers)
T(sockin_udp_transfers_and_tells_the_sender)
T(sockin_of_inet6)
T(sockin_accept_gives_the_cpu_back)
T(sockin_poll_tells_what_is_ready)
T(sockin_poll_gives_the_cpu_back)
T(sockin_receives_what_fits)
T(sockin_options)
T(sockin_time_out_for_receiving)
T(sockin_end_of_a_connection)
T(sockin_of_a_family_that_there_is_not)
T(sockin_with_what_is_no_socket)
T(sockin_errors_are_netbsds)
