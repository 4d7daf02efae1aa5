"""What an attacker must not get, rule by rule, and the tests that play it: read the attacks here.

A test that is renamed or gone takes its rule's words with it into the failure.
"""

# ruff: noqa: E501 - where a test stands is one word: it can be copied to pytest as it is.

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # --- one approval, one accept ---
    (
        "one approval lets in once",
        (
            "tests/contracts/test_stores.py::test_an_approval_becomes_one_accept",
            "tests/scenarios/test_a_login.py::test_duplicates_ring_once_and_are_accepted_once",
            "tests/scenarios/test_after_a_restart.py::test_two_walks_of_one_packet_let_in_once",
            "tests/crash/test_crashes.py::test_killed_at_twenty_moments_under_load",
        ),
    ),
    (
        "of several answers the first counts, also across processes",
        (
            "tests/contracts/test_stores.py::test_of_two_answers_at_once_one_counts",
            "tests/contracts/test_stores.py::test_of_two_processes_that_answer_one_counts",
            "tests/contracts/test_stores.py::test_of_an_answer_and_a_time_out_one_counts",
            "tests/scenarios/test_a_login.py::test_of_two_phones_the_first_answer_wins",
        ),
    ),
    (
        "an answer after the end changes nothing",
        (
            "tests/scenarios/test_a_login.py::test_an_approval_after_the_end_lets_nobody_in",
            "tests/contracts/test_stores.py::test_an_answer_at_the_end_of_the_bar_is_too_late",
            "tests/web/test_phone.py::test_an_answer_after_the_bar_is_too_late",
            "tests/web/test_phone.py::test_an_answer_that_comes_again_is_told_what_it_did",
        ),
    ),
    (
        "a no ends its login, and is never turned into a yes",
        (
            "tests/scenarios/test_a_login.py::test_a_deny_is_a_reject_at_once_with_its_own_text",
            "tests/contracts/test_stores.py::test_a_deny_is_never_accepted",
            "tests/scenarios/test_after_a_restart.py::test_a_no_stays_a_no",
        ),
    ),
    (
        "after a no the same attempt rings no more for a minute, by whatever protocol, also after a restart",
        (
            "tests/scenarios/test_one_no.py::test_a_gateway_that_tries_three_protocols_rings_once",
            "tests/scenarios/test_one_no.py::test_so_it_does_when_nobody_answers",
            "tests/scenarios/test_one_no.py::test_a_restart_keeps_the_mute",
            "tests/contracts/test_stores_and_rings.py::test_the_mute_holds_in_another_process_and_after_a_restart",
            "tests/contracts/test_stores_and_rings.py::test_a_deny_speaks_before_a_later_time_out",
        ),
    ),
    (
        "an attempt is person, client, address and verified password: what is not known equals nothing",
        (
            "tests/factors/test_attempt.py::test_whatever_differs_makes_another_attempt",
            "tests/factors/test_attempt.py::test_what_is_not_known_equals_nothing",
            "tests/scenarios/test_one_no.py::test_another_address_gateway_or_person_is_not_muted",
            "tests/scenarios/test_one_no.py::test_another_password_is_another_attempt",
            "tests/scenarios/test_one_no.py::test_without_an_address_a_no_counts_for_its_own_try_alone",
        ),
    ),
    (
        "rings in vain are bounded, and lock nobody out of where they were let in",
        (
            "tests/scenarios/test_one_no.py::test_who_rings_from_everywhere_at_once_rings_five_times",
            "tests/scenarios/test_one_no.py::test_it_locks_its_owner_out_of_no_place_where_they_were_let_in",
            "tests/contracts/test_stores_and_rings.py::test_those_that_wait_count_so_many_at_once_are_bounded",
            "tests/contracts/test_stores_and_rings.py::test_another_persons_success_opens_no_address",
            "tests/attacks/test_one_push.py::test_who_fills_the_queue_from_elsewhere_keeps_nobody_out_of_where_they_were_let_in",
        ),
    ),
    (
        "a probe user is always refused, before any directory, and rings nobody",
        (
            "tests/scenarios/test_one_no.py::test_a_probe_is_refused_asks_no_directory_rings_nobody_and_is_not_stored",
        ),
    ),
    (
        "wrong passwords are written nowhere",
        (
            "tests/attacks/test_no_secret_is_seen.py::test_no_secret_is_in_any_log_error_evidence_repr_or_file",
        ),
    ),
    # --- riding on somebody's yes ---
    (
        "one yes is spent once: by a push, as a ticket and for a follow-on, also through two servers at once",
        (
            "tests/attacks/test_one_push.py::test_of_many_requests_at_two_servers_one_spends_a_yes",
            "tests/scenarios/test_one_push.py::test_a_late_yes_lets_the_next_try_in_without_a_ring_once",
            "tests/scenarios/test_one_push.py::test_a_gateway_that_logs_in_twice_rings_once",
        ),
    ),
    (
        "who differs in anything joins nothing; of those that join the newest is told",
        (
            "tests/scenarios/test_one_push.py::test_whatever_differs_never_rides_along",
            "tests/scenarios/test_one_push.py::test_without_an_address_nothing_joins",
            "tests/scenarios/test_one_push.py::test_an_address_that_anybody_can_write_joins_nothing",
            "tests/scenarios/test_one_push.py::test_two_at_once_are_two_sign_ins_each_with_its_code",
            "tests/scenarios/test_one_push.py::test_a_new_try_from_the_same_socket_joins_and_only_the_newest_is_told",
            "tests/attacks/test_one_push.py::test_the_same_octets_at_a_server_that_takes_them_otherwise_join_nothing",
        ),
    ),
    (
        "a yes is for the try that it was tapped for, and a no for all of them",
        (
            "tests/attacks/test_one_push.py::test_a_yes_signed_for_one_try_is_none_for_the_next_that_is_here_already",
            "tests/attacks/test_one_push.py::test_a_yes_to_the_next_try_is_for_one_try_alone",
            "tests/attacks/test_one_push.py::test_a_no_signed_for_one_try_is_a_no_to_the_next",
            "tests/attacks/test_one_push.py::test_a_no_signed_in_time_that_comes_late_is_a_no",
            "tests/scenarios/test_one_push.py::test_a_yes_signed_in_time_that_comes_late_asks_the_person_again",
        ),
    ),
    (
        "a ticket is for its attempt, protocol, minute, phone and rules, and void after a no",
        (
            "tests/scenarios/test_one_push.py::test_a_ticket_is_for_its_attempt_and_protocol_and_sealed",
            "tests/scenarios/test_one_push.py::test_a_ticket_is_void_after_a_minute",
            "tests/scenarios/test_one_push.py::test_a_ticket_is_void_when_its_phone_is_removed",
            "tests/scenarios/test_one_push.py::test_a_ticket_is_void_when_the_rules_say_something_else",
            "tests/scenarios/test_one_push.py::test_a_no_to_another_sign_in_of_the_attempt_voids_the_ticket",
        ),
    ),
    (
        "a follow-on is the same attempt's, sealed, soon, and not after a no",
        (
            "tests/scenarios/test_one_push.py::test_a_follow_on_is_the_same_attempts_and_sealed",
            "tests/scenarios/test_one_push.py::test_a_follow_on_comes_soon_or_never",
            "tests/attacks/test_one_push.py::test_a_no_ends_the_follow_on_of_the_yes_before_it",
        ),
    ),
    (
        "Authorize-Only is sealed, soon, and of whom its gateways let in by a yes that stands",
        (
            "tests/scenarios/test_one_push.py::test_authorize_only_is_answered_for_who_was_let_in_a_moment_ago",
            "tests/scenarios/test_one_push.py::test_authorize_only_without_a_seal_is_a_request_without_a_password",
            "tests/attacks/test_one_push.py::test_a_clock_that_went_back_authorizes_nobody",
            "tests/scenarios/test_a_yes_taken_back.py::test_whom_a_yes_that_was_taken_back_let_in_may_nothing_more",
        ),
    ),
    (
        "the built-in clients of this machine open nothing to others on it",
        (
            "tests/attacks/test_simulated_gateways.py::test_who_does_not_know_the_secret_asks_nobody_as_a_simulated_gateway",
            "tests/attacks/test_simulated_gateways.py::test_a_phone_that_plays_along_approves_nobodys_real_login",
            "tests/attacks/test_one_push.py::test_who_does_not_know_its_secret_asks_nobody_as_try_login",
        ),
    ),
    # --- no way around the second factor ---
    (
        "a proof that is not spoken here is refused before any directory is asked",
        (
            "tests/attacks/test_packets_on_the_wire.py::test_a_proof_that_is_not_spoken_here_is_refused_before_any_directory",
            "tests/radius/test_proof.py::test_two_proofs_at_once_are_malformed",
        ),
    ),
    (
        "no phone is a refusal, and the password alone is never the default",
        (
            "tests/scenarios/test_a_login.py::test_somebody_without_a_phone_is_refused",
            "tests/policy/test_decide.py::test_a_profile_without_a_second_factor_is_never_reached_by_default",
            "tests/policy/test_rules.py::test_consequences_name_each_policy_that_opens_a_profile_without_a_second_factor",
        ),
    ),
    (
        "whoever lacks the password rings nobody",
        (
            "tests/scenarios/test_ringing.py::test_a_wrong_password_never_rings_the_phone",
            "tests/scenarios/test_a_login.py::test_every_refusal_before_the_question_looks_the_same_and_rings_nobody",
            "tests/interop/test_vpn_login.py::test_a_wrong_password_is_refused_and_no_phone_rings",
        ),
    ),
    (
        "a test request lets nobody in",
        (
            "tests/contracts/test_stores_and_push.py::test_a_test_request_opens_no_question_and_no_accept_can_spend_it",
            "tests/web/test_phone_push.py::test_a_test_is_no_question_and_a_question_no_test",
        ),
    ),
    # --- passwords and binds ---
    (
        "one packet is one bind at most, at one server, by whoever knows the name",
        (
            "tests/directory/test_ldap.py::test_one_login_is_one_bind",
            "tests/directory/test_ldap_outages.py::test_a_password_goes_to_one_server_only",
            "tests/scenarios/test_first_factor.py::test_whoever_knows_the_name_alone_speaks_also_when_the_password_is_wrong",
        ),
    ),
    (
        "a wrong password is not bound again for a minute, however the name is spelled",
        (
            "tests/scenarios/test_a_login.py::test_the_same_wrong_password_is_not_tried_twice_within_a_minute",
            "tests/attacks/test_packets_on_the_wire.py::test_another_spelling_of_the_name_is_no_second_try_of_a_wrong_password",
        ),
    ),
    (
        "a wrong shared secret is silence and no bind",
        (
            "tests/scenarios/test_odd_packets.py::test_a_password_that_a_wrong_secret_garbled_gets_silence_and_is_shown_to_no_directory",
            "tests/proofs/test_pap.py::test_a_wrong_shared_secret_is_recognised",
            "tests/proofs/test_pap.py::test_about_one_wrong_secret_in_a_hundred_looks_like_latin_1",
            "tests/interop/test_radclient.py::test_a_wrong_secret_gets_silence",
        ),
    ),
    (
        "what a client may speak belongs to its settings, and never to the packet",
        (
            "tests/scenarios/test_proofs.py::test_what_the_client_does_not_accept_is_refused_before_any_directory",
            "tests/scenarios/test_proofs.py::test_where_pap_is_not_accepted_a_right_password_is_no_way_in",
            "tests/radius/test_proof.py::test_two_proofs_at_once_are_malformed",
            "tests/interop/test_radclient.py::test_ms_chap_of_version_1_is_refused",
        ),
    ),
    (
        "a response that somebody overheard is one login, whatever is changed around it",
        (
            "tests/radius/test_proof.py::test_an_unsealed_proof_is_the_same_whatever_is_altered_around_it",
            "tests/scenarios/test_proofs.py::test_a_proof_that_somebody_overheard_rings_no_second_time",
        ),
    ),
    (
        "what anybody could have sent is counted, and never stored",
        ("tests/scenarios/test_proofs.py::test_an_unsealed_proof_that_is_wrong_is_counted_and_never_stored",),
    ),
    (
        "an empty password proves nothing, whatever the directory says to it",
        (
            "tests/directory/test_ldap.py::test_this_slapd_calls_a_bind_without_a_password_a_success",
            "tests/directory/test_ldap.py::test_a_password_that_must_not_be_sent_is_not",
            "tests/contracts/test_directories.py::test_an_empty_password_or_one_with_nul_is_never_right",
        ),
    ),
    (
        "no password goes to a directory whose certificate is wrong, or in clear",
        (
            "tests/directory/test_ldap_tls.py::test_a_wrong_certificate_is_down_and_nothing_is_bound",
            "tests/directory/test_ldap_tls.py::test_without_tls_no_password_is_sent",
        ),
    ),
    (
        "a flood of guesses at one name keeps nobody else out",
        (
            "tests/directory/test_local.py::test_a_flood_of_one_name_leaves_room_for_the_others",
            "tests/directory/test_local.py::test_a_password_that_was_right_before_waits_behind_no_flood",
        ),
    ),
    # --- replays and duplicates ---
    (
        "a packet whose password was right is worked on once in a day",
        (
            "tests/scenarios/test_odd_packets.py::test_a_packet_recorded_on_the_wire_and_played_again_rings_nobody",
            "tests/attacks/test_packets_on_the_wire.py::test_what_was_refused_with_a_right_password_rings_nobody_later",
            "tests/attacks/test_packets_on_the_wire.py::test_what_was_refused_for_want_of_time_rings_nobody_later",
            "tests/contracts/test_stores.py::test_a_request_is_remembered_for_a_day",
            "tests/contracts/test_stores.py::test_a_clock_that_went_back_does_not_forget_requests",
            "tests/scenarios/test_after_a_restart.py::test_the_same_octets_from_another_place_are_a_replay",
        ),
    ),
    (
        "an altered copy of a packet is the packet it was: only its Length octets count",
        (
            "tests/scenarios/test_odd_packets.py::test_an_unsealed_packet_that_somebody_altered_is_the_same_packet",
            "tests/attacks/test_packets_on_the_wire.py::test_a_replay_with_octets_behind_its_length_rings_nobody",
            "tests/radius/test_read_request.py::test_octets_after_length_are_padding_and_not_hashed",
        ),
    ),
    (
        "only a sealed packet takes the place of a held one, and the older one is never accepted",
        (
            "tests/attacks/test_packets_on_the_wire.py::test_a_packet_that_nobody_sealed_takes_no_login_away",
            "tests/radius/test_dedup.py::test_an_unauthenticated_request_supersedes_nothing_and_is_worked_on_beside",
            "tests/scenarios/test_odd_packets.py::test_a_newer_request_in_the_same_place_takes_over_and_the_older_is_never_accepted",
            "tests/scenarios/test_odd_packets.py::test_a_sealed_packet_played_again_from_the_gateways_own_port_locks_nobody_out",
            "tests/radius/test_dedup.py::test_a_request_that_may_be_a_replay_supersedes_nothing",
        ),
    ),
    (
        "one Request Authenticator is one request unless a sealed State says otherwise",
        (
            "tests/radius/test_dedup.py::test_the_same_authenticator_on_other_octets_is_ignored_without_state",
            "tests/radius/test_dedup.py::test_the_same_authenticator_on_other_octets_is_new_with_state",
            "tests/radius/test_dedup.py::test_a_state_that_anybody_can_add_is_no_way_around_the_authenticator",
        ),
    ),
    (
        "a gateway that runs out of Identifiers is told of",
        (
            "tests/radius/test_dedup.py::test_a_port_that_runs_out_of_identifiers_is_warned_about_once_a_minute",
        ),
    ),
    (
        "a crashed login is silent for 30 s",
        (
            "tests/radius/test_dedup.py::test_after_a_crash_the_key_stays_silent_for_30_s",
            "tests/listen/test_udp.py::test_a_crashed_login_is_silent_for_30_s_and_takes_nothing_down",
        ),
    ),
    (
        "after a restart a packet meets its question or its accept, and only for as long as the gateway waits",
        (
            "tests/scenarios/test_after_a_restart.py::test_a_held_login_goes_on_with_its_question_and_rings_once",
            "tests/scenarios/test_after_a_restart.py::test_a_server_that_dies_around_its_accept_lets_in_once_with_the_same_reply",
            "tests/scenarios/test_after_a_restart.py::test_an_accept_that_was_sent_is_said_again_for_30_s_and_no_longer",
            "tests/scenarios/test_after_a_restart.py::test_an_approval_that_nobody_came_for_in_time_lets_nobody_in",
        ),
    ),
    (
        "the memory of packets is bounded",
        (
            "tests/radius/test_dedup.py::test_memory_is_bounded_by_forgetting_the_oldest_finished_requests",
            "tests/listen/test_udp.py::test_a_full_house_is_silent_to_newcomers",
            "tests/listen/test_limits.py::test_a_client_that_floods_leaves_room_for_the_others",
            "tests/listen/test_limits.py::test_a_packet_over_the_settings_bounds_is_malformed",
        ),
    ),
    (
        "the look of a refusal does not tell its reason: also one that is only counted has a trace code",
        (
            "tests/scenarios/test_trace_code.py::test_a_refusal_looks_the_same_whether_it_left_evidence_or_was_only_counted",
            "tests/radius/test_trace_code_in_replies.py::test_the_code_gives_way_before_the_text_and_the_text_before_the_proxy_states",
        ),
    ),
    (
        "what is noted beside a login fills no disk for logins that left nothing",
        (
            "tests/scenarios/test_trace_code.py::test_repeats_of_what_is_only_counted_are_only_counted",
            "tests/contracts/test_stores_and_traces.py::test_of_a_login_that_left_nothing_nothing_is_written",
            "tests/web/test_shown.py::test_what_a_slow_store_leaves_waiting_is_bounded",
        ),
    ),
    # --- the seal ---
    (
        "a wrong Message-Authenticator is silence, a missing one too unless the client may",
        (
            "tests/scenarios/test_odd_packets.py::test_a_wrong_secret_with_message_authenticator_gets_silence",
            "tests/scenarios/test_odd_packets.py::test_a_request_without_message_authenticator_is_silence_unless_the_client_may",
            "tests/radius/test_read_request.py::test_a_wrong_message_authenticator_is_never_let_through",
            "tests/fuzz/test_packet.py::test_one_flipped_bit_is_never_authentic",
        ),
    ),
    (
        "Blast-RADIUS finds no unsealed Proxy-State, and every reply begins with its seal",
        (
            "tests/radius/test_read_request.py::test_blastradius_proxy_state_without_message_authenticator_is_dropped",
            "tests/radius/test_write_reply.py::test_message_authenticator_is_the_first_attribute_of_every_reply",
            "tests/scenarios/test_message_authenticator.py::test_a_played_blastradius_attempt_is_dropped",
        ),
    ),
    (
        "under auto who has sealed once must always seal, also after a restart, until an admin says otherwise",
        (
            "tests/scenarios/test_message_authenticator.py::test_under_auto_the_first_seal_ends_the_days_without",
            "tests/scenarios/test_message_authenticator.py::test_the_latch_outlives_the_server_and_an_admin_can_undo_it",
            "tests/scenarios/test_message_authenticator.py::test_eap_latches_nothing_as_it_always_bears_a_seal",
            "tests/radius/test_seals.py::test_a_client_with_too_many_sources_is_latched_as_a_whole",
        ),
    ),
    (
        "what an unsealed packet says of itself, its address too, opens nothing",
        (
            "tests/policy/test_decide.py::test_what_an_unsealed_packet_says_opens_nothing_and_still_refuses",
            "tests/policy/test_decide.py::test_an_address_from_elsewhere_opens_nothing_and_still_refuses",
            "tests/policy/test_decide.py::test_a_client_wider_than_a_29_opens_nothing_by_address",
            "tests/policy/test_decide.py::test_a_user_address_must_be_known_and_lie_inside",
            "tests/radius/test_user_address.py::test_what_is_no_address_is_refused",
        ),
    ),
    (
        "packets that anybody can send are counted and fill no disk and no log",
        (
            "tests/scenarios/test_odd_packets.py::test_rubbish_from_a_client_and_anything_from_a_stranger_are_silence",
            "tests/listen/test_udp.py::test_malformed_and_unauthentic_packets_get_silence_and_are_counted",
            "tests/listen/test_udp.py::test_a_flood_makes_few_lines",
        ),
    ),
    (
        "groups that cannot be told in full are no accept, and none becomes another",
        (
            "tests/policy/test_groups.py::test_what_cannot_be_told_is_a_reject",
            "tests/policy/test_groups.py::test_joined_groups_are_split_between_groups_and_none_is_lost",
            "tests/policy/test_groups.py::test_a_client_that_says_nowhere_gets_a_reject",
        ),
    ),
    (
        "a reply that does not fit a packet is no accept",
        (
            "tests/radius/test_write_reply.py::test_a_reply_over_4096_octets_is_no_accept",
            "tests/radius/test_write_reply.py::test_a_reply_that_cannot_be_computed_is_no_accept",
        ),
    ),
    # --- enrolment ---
    (
        "a device needs an invitation, used once, that ends",
        (
            "tests/contracts/test_stores.py::test_token_and_code_are_one_right_used_once",
            "tests/contracts/test_stores.py::test_of_two_phones_that_redeem_at_once_one_gets_it",
            "tests/contracts/test_stores.py::test_an_invitation_ends",
            "tests/web/test_phone.py::test_wrong_spent_and_expired_invitations_are_told_alike",
        ),
    ),
    (
        "whoever had a device once needs a new invitation for ever after",
        ("tests/contracts/test_stores.py::test_a_phone_is_removed_once_and_stays_readable",),
    ),
    (
        "guessing an invitation ends after ten tries, behind a proxy too",
        (
            "tests/web/test_phone.py::test_the_eleventh_guess_is_not_looked_at_until_ten_minutes_later",
            "tests/web/test_phone.py::test_many_guesses_at_once_are_still_ten",
            "tests/web/test_phone_strangers.py::test_a_stranger_cannot_forge_for_whom_they_guess",
        ),
    ),
    (
        "a redeemed key is trusted only after the issuer typed the code on its screen",
        (
            "tests/contracts/test_stores.py::test_only_a_confirmed_phone_answers",
            "tests/web/test_phone.py::test_a_phone_that_is_not_confirmed_answers_nothing",
            "tests/test_enrollment.py::test_the_fifth_wrong_code_gives_the_phone_up",
            "tests/cli/test_enroll.py::test_without_confirming_the_phone_is_trusted_and_the_evidence_says_so",
        ),
    ),
    (
        "opening a link spends nothing",
        (
            "tests/web/test_phone.py::test_opening_a_link_spends_nothing",
            "tests/web/test_phone_app_browser.py::test_a_link_adds_the_phone_after_a_tap_and_leaves_the_address_bar",
        ),
    ),
    (
        "a sent invitation asks for the directory's password, five times at most, and for nobody else's",
        (
            "tests/attacks/test_sent_invitations.py::test_a_stolen_link_adds_no_phone_without_the_password",
            "tests/attacks/test_sent_invitations.py::test_five_wrong_passwords_close_it_also_when_they_come_at_once",
            "tests/attacks/test_sent_invitations.py::test_no_directory_is_asked_for_a_link_that_was_not_sent",
        ),
    ),
    (
        "every enrolment is told to the person's other devices and by mail",
        (
            "tests/contracts/test_stores_and_post.py::test_however_a_phone_becomes_trusted_the_others_and_the_person_are_told",
        ),
    ),
    (
        "nobody enrols another's key",
        ("tests/web/test_phone.py::test_somebody_elses_key_cannot_be_enrolled_and_spends_nothing",),
    ),
    # --- answers ---
    (
        "an answer is a strict object: nothing unknown, missing or twice",
        (
            "tests/factors/test_answer.py::test_a_field_too_many_is_refused_and_not_repeated",
            "tests/factors/test_answer.py::test_an_answer_without_one_field_is_refused",
            "tests/factors/test_answer.py::test_a_duplicate_of_a_right_field_is_refused",
            "tests/attacks/test_phones.py::test_an_answer_that_says_a_field_twice_changes_nothing_though_it_is_signed",
        ),
    ),
    (
        "every field of an answer is that of the stored question",
        (
            "tests/factors/test_answer.py::test_an_answer_altered_in_one_field_is_refused",
            "tests/factors/test_answer.py::test_every_field_has_been_altered",
            "tests/web/test_phone.py::test_an_answer_that_is_not_what_was_asked_changes_nothing",
        ),
    ),
    (
        "the device's own key signed that very text",
        (
            "tests/factors/test_answer.py::test_the_devices_own_signature_over_the_very_text_is_right",
            "tests/web/test_phone.py::test_an_answer_with_a_text_changed_after_signing_changes_nothing",
            "tests/web/test_phone.py::test_a_signatures_twin_answers_nothing_a_second_time",
            "tests/web/test_phone_app_browser.py::test_the_key_cannot_be_taken_out",
        ),
    ),
    (
        "only an active device of that person answers, at the answer and at the accept",
        (
            "tests/web/test_phone.py::test_somebody_elses_phone_answers_nothing",
            "tests/web/test_phone.py::test_a_removed_phone_answers_nothing_and_is_told_so",
            "tests/contracts/test_stores.py::test_nobody_answers_for_another_person",
            "tests/contracts/test_stores.py::test_an_approval_by_a_phone_removed_since_is_not_accepted",
        ),
    ),
    (
        "at approval the rules of that moment decide again on what was read before; a change is a reject",
        (
            "tests/attacks/test_packets_on_the_wire.py::test_an_approval_asks_no_directory_again",
            "tests/scenarios/test_reload.py::test_a_held_login_is_decided_again_at_its_approval",
            "tests/scenarios/test_after_a_restart.py::test_rules_that_changed_over_the_restart_refuse_what_was_asked_under_others",
        ),
    ),
    (
        "a signed request carries a nonce of ours: once, within a minute, for one purpose",
        (
            "tests/web/test_nonces.py::test_a_nonce_is_good_once",
            "tests/web/test_nonces.py::test_a_nonce_of_more_than_a_minute_is_old",
            "tests/web/test_phone.py::test_a_nonce_opens_one_stream",
            "tests/web/test_phone.py::test_a_signed_answer_is_not_a_signed_stream",
            "tests/web/test_phone_push.py::test_what_was_signed_once_is_taken_once",
            "tests/web/test_phone_strangers.py::test_new_keys_do_not_fill_the_memory_of_nonces",
        ),
    ),
    (
        "a no from a notification names its question and is never sent later",
        (
            "tests/push/test_push_browser.py::test_a_deny_that_cannot_be_sent_is_not_sent_later",
            "tests/push/test_push_browser.py::test_a_deny_of_a_request_that_is_over_answers_nothing_else",
        ),
    ),
    (
        "what a push service sees names nobody, and the app lists every open question",
        (
            "tests/push/test_ringing.py::test_the_topic_is_of_this_server_alone",
            "tests/push/test_ringing.py::test_a_message_holds_no_address_nonce_or_login",
            "tests/push/test_webpush.py::test_the_browser_alone_can_read_it_and_the_service_knows_who_sends",
            "tests/push/test_push_firefox.py::test_a_closed_app_is_rung_and_a_click_on_the_alert_leads_to_the_yes",
            "tests/factors/test_question.py::test_all_open_questions_are_listed",
        ),
    ),
    (
        "no phone makes the server ask inside the network",
        (
            "tests/attacks/test_push.py::test_no_phone_makes_the_server_ask_inside_the_network",
            "tests/attacks/test_push.py::test_an_address_that_came_into_the_store_another_way_is_checked_again_when_it_is_asked",
            "tests/push/test_webpush.py::test_a_redirect_is_never_followed",
        ),
    ),
    # --- the phone side ---
    (
        "phones stay with the address they were enrolled at; a change must be said and forgets them",
        (
            "tests/contracts/test_stores.py::test_the_phone_origin_is_kept_from_the_first_enrolment_on",
            "tests/contracts/test_stores.py::test_forgetting_phones_takes_every_phone_and_open_invitation",
            "tests/cli/test_enroll.py::test_phones_stay_with_the_address_they_were_enrolled_at",
        ),
    ),
    (
        "another host name or another site's page is not served",
        (
            "tests/web/test_phone_doorway.py::test_another_host_name_is_not_served",
            "tests/web/test_phone_doorway.py::test_another_sites_page_may_not_post_here",
        ),
    ),
    (
        "the phone side is capped: connections, streams, bodies, time",
        (
            "tests/web/test_phone_doorway.py::test_one_neighbourhood_has_only_so_many_connections",
            "tests/web/test_phone.py::test_a_fourth_stream_of_one_phone_ends_the_first",
            "tests/web/test_phone_doorway.py::test_a_body_of_more_than_8_kb_is_not_read",
            "tests/web/test_phone_doorway.py::test_a_sender_of_slow_headers_is_cut_off",
            "tests/attacks/test_the_phone_side_is_pinned.py::test_who_never_reads_is_cut_off",
        ),
    ),
    (
        "the phone side takes no directory's password",
        (
            "tests/attacks/test_the_phone_page_takes_no_password.py::test_no_page_asks_for_a_password",
            "tests/attacks/test_the_phone_page_takes_no_password.py::test_a_password_that_is_sent_all_the_same_is_refused_unread",
        ),
    ),
    (
        "a login whose address is unknown is never taken for another",
        ("tests/scenarios/test_ringing.py::test_a_second_try_of_the_same_login_replaces_the_first_ring",),
    ),
    (
        "an exhausted phone side takes nothing from RADIUS",
        (
            "tests/attacks/test_the_phone_side_is_pinned.py::test_the_server_keeps_its_reserve_from_the_phones",
            "tests/attacks/test_phones.py::test_while_the_phone_side_is_flooded_every_login_is_let_in_by_its_phone",
        ),
    ),
    (
        "a phone's clock counts for nothing",
        ("tests/attacks/test_phones.py::test_a_phone_whose_clock_is_wrong_is_added_and_lets_in",),
    ),
    (
        "what a login says of itself is shown as text",
        (
            "tests/attacks/test_phones.py::test_what_a_login_says_of_itself_is_shown_as_text_and_never_becomes_part_of_the_page",
            "tests/web/test_phone_doorway.py::test_every_answer_carries_the_strict_headers",
        ),
    ),
    # --- what people write themselves, policies, names ---
    (
        "no policy decides by what people write themselves, unless the admin answers for it",
        (
            "tests/attacks/test_attributes_people_write_themselves.py::test_a_policy_on_such_an_attribute_is_refused",
            "tests/attacks/test_attributes_people_write_themselves.py::test_nobody_becomes_another_by_writing_their_id",
        ),
    ),
    (
        "patterns are matched whole, in time and memory that are bounded",
        (
            "tests/attacks/test_patterns_that_never_end.py::test_a_pattern_that_doubles_its_work_with_every_letter_answers_at_once",
            "tests/policy/test_decide.py::test_values_fit_whole_and_without_regard_to_case",
            "tests/policy/test_rules.py::test_a_value_that_can_not_be_a_rule",
            "tests/policy/test_rules.py::test_a_pattern_that_would_take_much_memory_is_refused",
            "tests/policy/test_decide.py::test_a_value_over_1_kb_is_an_attribute_that_was_not_read",
        ),
    ),
    (
        "names of groups compare as names, part by part",
        (
            "tests/policy/test_decide.py::test_distinguished_names_compare_parsed",
            "tests/policy/test_decide.py::test_a_star_does_not_cross_a_comma_of_a_dn",
            "tests/policy/test_decide.py::test_an_escaped_comma_does_not_make_a_part",
        ),
    ),
    (
        "a bare group name that means two groups fits nobody, and check --online names both",
        (
            "tests/policy/test_decide.py::test_a_bare_name_is_the_one_group_that_carries_it",
            "tests/policy/test_decide.py::test_a_second_group_of_the_same_name_switches_no_refusal_off",
            "tests/sites/test_check_online.py::test_what_is_wrong_has_its_place_and_its_mend",
        ),
    ),
    (
        "values read in part are not read, and not read is never absent",
        (
            "tests/directory/test_ldap_entry.py::test_a_range_is_a_part_and_so_unread",
            "tests/policy/test_decide.py::test_an_attribute_that_could_not_be_read_is_not_a_miss",
            "tests/directory/test_ldap.py::test_groups_that_cannot_be_looked_up_are_down_not_absent",
        ),
    ),
    (
        "settings are read as they are written",
        (
            "tests/settings/test_load.py::test_scalars_are_read_as_written",
            "tests/settings/test_yaml_marks.py::test_scalars_stay_texts",
        ),
    ),
    (
        "names are normalized before they are bounded, and are theirs whole or nobody's",
        (
            "tests/directory/test_ldap_entry.py::test_names_are_nfkc_and_bounded_after_it",
            "tests/contracts/test_directories.py::test_one_person_has_one_id_however_the_name_is_typed",
            "tests/attacks/test_packets_on_the_wire.py::test_a_name_that_is_not_exactly_theirs_is_nobody",
            "tests/directory/test_ldap_entry.py::test_an_escaped_value_holds_nothing_that_a_filter_understands",
        ),
    ),
    (
        "a name of two people is nobody's, and a name that is used again is another person's",
        (
            "tests/scenarios/test_first_factor.py::test_an_ambiguous_name_is_a_reject_and_nobody_else_is_asked",
            "tests/directory/test_ldap.py::test_a_name_that_fits_two_entries_is_ambiguous",
            "tests/directory/test_ldap.py::test_a_reused_name_is_another_person",
        ),
    ),
    # --- disk, restart, clock ---
    (
        "answer and accept are on disk before the reply is on the wire",
        (
            "tests/store/test_file.py::test_a_commit_is_on_disk_and_keys_are_checked",
            "tests/store/test_writer.py::test_nothing_is_told_before_the_commit",
            "tests/crash/test_crashes.py::test_a_power_cut_anywhere_in_the_log_loses_only_its_end",
            "tests/scenarios/test_a_login.py::test_an_approved_login_is_accepted_with_the_policys_reply",
        ),
    ),
    (
        "a disk that cannot be written lets nobody in",
        (
            "tests/crash/test_crashes.py::test_a_full_disk_is_silence_until_there_is_room_again",
            "tests/scenarios/test_after_a_restart.py::test_a_full_disk_is_silence_and_ends_with_its_cause",
        ),
    ),
    (
        "evidence that somebody changed or cut is found out",
        (
            "tests/store/test_evidence.py::test_a_changed_row_is_found",
            "tests/store/test_retention.py::test_whoever_cuts_more_off_is_found_out",
            "tests/store/test_backup.py::test_a_changed_chain_is_not_backed_up_as_whole",
        ),
    ),
    (
        "retention takes the old and leaves what is trusted",
        (
            "tests/store/test_retention.py::test_old_evidence_goes_and_the_chain_is_whole_from_there",
            "tests/store/test_retention.py::test_questions_and_removed_phones_go_with_their_evidence_and_trusted_ones_stay",
        ),
    ),
    (
        "while the clock is behind no invitation is good",
        (
            "tests/contracts/test_stores.py::test_a_clock_that_is_behind_redeems_nothing",
            "tests/scenarios/test_after_a_restart.py::test_while_the_clock_is_behind_nobody_is_invited_and_everybody_logs_in",
        ),
    ),
    (
        "what a backup brings back is not trusted until somebody says so",
        (
            "tests/store/test_backup.py::test_what_comes_back_is_not_trusted",
            "tests/store/test_backup.py::test_only_a_phone_that_a_restore_brought_back_is_confirmed_so",
        ),
    ),
    (
        "what an admin does is evidence",
        (
            "tests/cli/test_devices.py::test_a_removed_phone_is_off_the_list_and_in_the_evidence",
            "tests/test_enrollment.py::test_evidence_tells_the_enrolment",
            "tests/scenarios/test_reload.py::test_new_logins_are_decided_by_the_new_settings_and_the_change_is_told",
            "tests/cli/test_backup.py::test_there_and_back_and_every_phone_is_confirmed_by_hand",
            "tests/scenarios/test_after_a_restart.py::test_a_clock_that_ran_ahead_once_is_forgiven_when_an_admin_says_so",
        ),
    ),
    (
        "one store has one server",
        (
            "tests/scenarios/test_after_a_restart.py::test_a_second_server_on_one_store_is_refused_and_says_who_has_it",
        ),
    ),
    # --- what an answer tells ---
    (
        "every refusal before the question has one text and leaves at whole steps, whatever the reason",
        (
            "tests/scenarios/test_a_login.py::test_every_refusal_before_the_question_looks_the_same_and_rings_nobody",
            "tests/attacks/test_what_time_tells.py::test_a_refusal_leaves_at_whole_steps_however_long_the_directory_took",
            "tests/directory/test_local.py::test_a_name_nobody_has_waits_and_costs_as_a_known_one",
        ),
    ),
    (
        "every held request is answered while its gateway still waits",
        (
            "tests/attacks/test_what_time_tells.py::test_a_held_login_is_answered_while_its_gateway_still_listens",
            "tests/scenarios/test_a_login.py::test_nobody_answers_and_the_profiles_time_out_ends_it",
        ),
    ),
    (
        "a directory that is down is silence, and never a way to a weaker one",
        (
            "tests/scenarios/test_first_factor.py::test_while_one_is_down_a_later_directory_is_not_asked_and_the_gateway_hears_nothing",
            "tests/interop/test_directory_outages.py::test_while_ldap_is_stopped_emergency_people_get_in_and_all_recover_without_a_restart",
        ),
    ),
    # --- accounting and probes ---
    (
        "accounting is believed only when its authenticator is right, and shows nobody in or out twice",
        (
            "tests/attacks/test_accounting.py::test_without_the_secret_nobody_is_shown_in_or_out",
            "tests/attacks/test_accounting.py::test_a_recorded_start_or_stop_does_nothing_a_second_time",
            "tests/attacks/test_accounting.py::test_a_recorded_boot_ends_nobodys_session",
            "tests/attacks/test_accounting.py::test_a_recorded_interim_revives_nobody",
            "tests/contracts/test_stores_and_sessions.py::test_a_packet_that_opened_or_closed_something_never_does_so_again",
        ),
    ),
    (
        "sessions are keyed by client, machine and id; On and Off touch that machine alone; a Stop before its Start is kept",
        (
            "tests/attacks/test_accounting.py::test_one_gateway_touches_no_session_of_another",
            "tests/scenarios/test_accounting.py::test_on_and_off_close_the_sessions_of_that_machine_alone",
            "tests/scenarios/test_accounting.py::test_a_stop_that_overtakes_its_start_ends_it",
            "tests/contracts/test_stores_and_sessions.py::test_a_client_has_no_more_live_sessions_than_it_may",
        ),
    ),
    (
        "no rogue gateway, leaked certificate or stranger fills the disk, the store's queue or RadSec for the others",
        (
            "tests/attacks/test_accounting.py::test_a_rogue_gateway_fills_no_disk_with_sessions_that_nobody_knew",
            "tests/store/test_writer.py::test_clients_that_flood_leave_room_for_the_others",
            "tests/listen/test_radsec.py::test_one_client_never_holds_all_connections",
            "tests/listen/test_radsec.py::test_unfinished_handshakes_of_strangers_leave_room_for_addresses_of_clients",
        ),
    ),
    (
        "a probe needs a seal, latches and rings nothing, and is silent only while the store is down",
        (
            "tests/listen/test_accounting_port.py::test_status_server_without_a_seal_gets_silence_also_from_a_lenient_client",
            "tests/listen/test_accounting_port.py::test_status_server_is_answered_every_time_and_rings_nobody",
            "tests/listen/test_accounting_port.py::test_status_server_gets_silence_while_the_store_is_down_and_the_log_says_so",
            "tests/listen/test_accounting_port.py::test_a_client_that_floods_with_status_server_gets_silence_for_the_rest",
            "tests/attacks/test_accounting.py::test_a_probe_latches_nothing_and_accounting_opens_no_login",
        ),
    ),
    # --- keys and secrets ---
    (
        "keys lie beside the store for their owner alone, and in the backup",
        (
            "tests/store/test_keys.py::test_keys_are_made_once_and_for_their_owner_alone",
            "tests/store/test_keys.py::test_a_key_that_others_may_read_stops_the_server_with_the_mend",
            "tests/store/test_backup.py::test_a_backup_comes_back_with_its_keys_and_its_evidence",
        ),
    ),
    (
        "of a client's secrets the one that verifies is used, else the newest",
        (
            "tests/radius/test_read_request.py::test_the_secret_that_verifies_is_the_one_used",
            "tests/radius/test_read_request.py::test_without_a_message_authenticator_the_newest_secret_is_used",
        ),
    ),
    (
        "secrets may come from a file or the environment, and no mistake repeats one",
        (
            "tests/settings/test_mistakes.py::test_a_secret_file_must_be_there_and_hold_something",
            "tests/settings/test_mistakes.py::test_no_mistake_repeats_a_secret_of_a_file_or_of_the_environment",
            "tests/attacks/test_no_secret_is_seen.py::test_no_verb_that_tells_of_logins_shows_a_secret_or_a_signature",
        ),
    ),
    (
        "root is not led out of the server's folder by a link",
        (
            "tests/attacks/test_root_in_the_servers_folder.py::test_a_link_that_is_laid_after_the_look_is_followed_as_the_server_only",
            "tests/store/test_backup.py::test_a_link_in_a_backup_is_not_followed",
        ),
    ),
)


@cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds))


@pytest.mark.parametrize(("rule", "played_by"), RULES, ids=[rule for rule, _ in RULES])
def test_every_rule_is_played(rule: str, played_by: tuple[str, ...]) -> None:
    assert played_by, f"nobody plays: {rule}"
    gone = [test for test in played_by if test.partition("::")[2] not in names_in(test.partition("::")[0])]
    assert not gone, f"nobody plays any more: {rule}"


def test_every_rule_is_said_once() -> None:
    assert len({rule for rule, _ in RULES}) == len(RULES)


def test_every_attack_in_this_folder_is_collected() -> None:
    """A test that stands twice under one name in one file is one test less than it looks."""
    for file in Path(__file__).parent.glob("test_*.py"):
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        names = [node.name for node in ast.parse(file.read_text()).body if isinstance(node, kinds)]
        assert len(set(names)) == len(names), file.name
