/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All tests of the suite; suite/all_tests.c lists them.
 */
#pragma once

#include <suite/guest.h>

#ifdef __cplusplus
extern "C" {
#endif

void test_vm_run_returns_zero_once(conformance_t *t);
void test_a_reset_that_nobody_performs_stops(conformance_t *t);
void test_a_reset_callback_starts_the_guest_again(conformance_t *t);
void test_signals_are_heard_with_their_badges(conformance_t *t);
void test_a_signal_may_stop_the_vm(conformance_t *t);
void test_an_event_that_nobody_wants_is_an_error(conformance_t *t);
void test_a_paused_vm_goes_on_when_it_is_resumed(conformance_t *t);
void test_a_pause_may_be_taken_back_at_once(conformance_t *t);
void test_a_vcpus_exits_are_counted_by_kind(conformance_t *t);
void test_a_fault_is_told_before_a_stop(conformance_t *t);
void test_two_vms_live_side_by_side(conformance_t *t);
void test_one_vm_run_serves_all_vms_of_an_endpoint(conformance_t *t);
void test_vms_come_and_go_without_a_trace(conformance_t *t);
void test_a_running_vm_can_be_destroyed(conformance_t *t);
void test_vms_come_and_go_while_another_runs(conformance_t *t);
void test_another_vm_is_paused_stopped_and_started_anew(conformance_t *t);
void test_a_vm_is_not_destroyed_from_its_own_callbacks(conformance_t *t);
void test_a_signals_callback_may_destroy_another_vm(conformance_t *t);
void test_reads_of_a_reservation(conformance_t *t);
void test_writes_to_a_reservation(conformance_t *t);
void test_a_64_bit_access(conformance_t *t);
void test_an_ignored_read_gives_zero(conformance_t *t);
void test_a_fault_error_ends_vm_run(conformance_t *t);
void test_a_reservation_passes_on_to_the_unhandled_callback(conformance_t *t);
void test_an_unhandled_fault_is_executed_again(conformance_t *t);
void test_an_unhandled_fault_that_the_client_finishes(conformance_t *t);
void test_an_unhandled_fault_that_the_client_steps_over(conformance_t *t);
void test_a_decision_is_for_the_instruction_it_was_made_for(conformance_t *t);
void test_a_fault_that_nobody_decides_is_an_abort(conformance_t *t);
void test_the_policy_may_return_instead(conformance_t *t);
void test_a_callback_may_replace_its_reservation_by_ram(conformance_t *t);
void test_a_vcpu_fault_reaches_its_callback(conformance_t *t);
void test_a_vcpu_fault_may_be_left_to_the_policy(conformance_t *t);
void test_a_vcpu_fault_that_fails_ends_vm_run(conformance_t *t);
void test_firmware_calls_are_served(conformance_t *t);
void test_a_client_may_serve_smcs(conformance_t *t);
void test_an_smc_callback_has_all_registers(conformance_t *t);
void test_registers_set_before_the_start_are_there_at_the_start(conformance_t *t);
void test_registers_inside_a_fault(conformance_t *t);
void test_a_second_vcpu_is_started_by_the_guest(conformance_t *t);
void test_a_second_vcpu_is_started_by_the_client(conformance_t *t);
void test_a_vcpu_of_another_cluster_is_started_by_the_guest(conformance_t *t);
void test_a_second_vcpu_has_the_endianness_of_the_one_that_starts_it(conformance_t *t);
void test_reservations_do_not_overlap(conformance_t *t);
void test_anonymous_reservations(conformance_t *t);
void test_mapped_frames_are_the_guests(conformance_t *t);
void test_frames_of_an_array_are_the_guests(conformance_t *t);
void test_deferred_frames_are_mapped_at_the_first_access(conformance_t *t);
void test_a_write_to_a_read_only_frame_faults(conformance_t *t);
void test_a_page_provider_that_runs_out_maps_nothing(conformance_t *t);
void test_frames_that_do_not_fit_are_refused(conformance_t *t);
void test_the_clients_frames_may_be_ram(conformance_t *t);
void test_ram_is_touched_in_pages(conformance_t *t);
void test_ram_is_given_out_and_taken_back(conformance_t *t);
void test_guest_addresses_have_physical_ones(conformance_t *t);
void test_an_injected_interrupt_is_taken_and_acknowledged(conformance_t *t);
void test_a_signal_is_forwarded_as_an_interrupt(conformance_t *t);
void test_a_wire_is_an_interrupt_while_it_is_high(conformance_t *t);
void test_the_virtual_timer_interrupts(conformance_t *t);
void test_the_interrupt_controller_is_chosen_once(conformance_t *t);
void test_a_gicv3_is_there_when_it_was_asked_for(conformance_t *t);
void test_a_callback_may_use_the_interface(conformance_t *t);
void test_a_callback_may_free_a_reservation(conformance_t *t);
void test_a_callback_may_pause_the_vm(conformance_t *t);
void test_a_callback_may_stop_the_vm(conformance_t *t);
void test_a_touch_callback_may_register_ram(conformance_t *t);
void test_a_reservation_that_is_being_mapped_stays(conformance_t *t);
void test_calls_without_a_vm(conformance_t *t);
void test_calls_without_a_vcpu(conformance_t *t);
void test_wrong_arguments(conformance_t *t);
void test_wrong_arguments_of_vm_init(conformance_t *t);
void test_own_interrupts_are_the_clients_once(conformance_t *t);
void test_devices_may_share_an_interrupt(conformance_t *t);
void test_a_client_emulates_registers_by_the_syndrome(conformance_t *t);
void test_the_syndrome_of_a_call_is_whole(conformance_t *t);
void test_a_fault_may_be_finished_later(conformance_t *t);
void test_a_fault_may_be_restarted_later(conformance_t *t);
void test_a_fault_that_waits_outlives_a_pause(conformance_t *t);
void test_the_parts_of_a_pair_may_be_finished_later(conformance_t *t);
void test_a_call_may_be_finished_later(conformance_t *t);

/* client_order_tests.c */
void test_a_vm_that_was_stopped_before_its_first_start_starts(conformance_t *t);
void test_a_second_vcpu_is_started_first_after_a_stop(conformance_t *t);
void test_a_pause_that_was_taken_back_may_be_asked_for_again(conformance_t *t);
void test_no_callback_runs_or_destroys_its_vm(conformance_t *t);

void test_frames_without_the_right_to_write_are_read_only_ram(conformance_t *t);
void test_a_call_that_is_left_is_made_again(conformance_t *t);
void test_a_call_may_be_finished_between_runs(conformance_t *t);
void test_a_client_may_step_over_a_call(conformance_t *t);
void test_a_vcpu_fault_may_be_finished_later(conformance_t *t);
void test_a_refused_interrupt_is_told_when_it_can_come(conformance_t *t);
void test_many_refused_interrupts_are_told(conformance_t *t);
void test_any_result_of_a_notification_callback_ends_vm_run(conformance_t *t);
void test_ram_is_rounded_up_to_pages(conformance_t *t);
void test_frames_behind_a_reservation_are_left_alone(conformance_t *t);
void test_frames_take_whole_pages(conformance_t *t);
void test_a_fault_that_is_over_tells_nothing(conformance_t *t);
void test_a_vcpu_fault_that_is_over_tells_nothing(conformance_t *t);
void test_a_call_that_is_over_is_no_fault(conformance_t *t);
void test_large_ram_is_where_large_frames_fit(conformance_t *t);
void test_a_vm_has_what_it_was_made_with(conformance_t *t);
void test_a_callback_may_not_destroy_its_vm(conformance_t *t);
void test_registers_that_do_not_exist_are_refused(conformance_t *t);
void test_registers_of_a_vcpu_at_a_fault_are_its_own(conformance_t *t);
void test_a_vm_that_is_over_starts_again_with_what_is_set_then(conformance_t *t);
void test_a_register_that_a_callback_sets_decides_nothing(conformance_t *t);
void test_a_client_may_have_another_call_served(conformance_t *t);
void test_a_callback_has_the_last_word_about_a_served_call(conformance_t *t);
void test_an_interrupt_may_be_registered_while_the_guest_runs(conformance_t *t);
void test_an_interrupt_controller_needs_its_ranges(conformance_t *t);
void test_a_vcpu_is_started_once(conformance_t *t);
void test_a_decision_does_not_outlive_a_start(conformance_t *t);
void test_a_fault_that_waits_is_not_told_again_after_a_pause(conformance_t *t);
void test_a_fault_that_became_an_abort_is_over(conformance_t *t);
void test_a_start_that_was_refused_is_forgotten(conformance_t *t);
void test_calls_without_a_vm_say_so(conformance_t *t);
void test_registers_of_a_vcpu_that_runs_are_out_of_reach(conformance_t *t);
void test_cxx_a_device_serves_accesses_of_each_width(conformance_t *t);
void test_cxx_a_mistake_handler_decides_before_the_policy(conformance_t *t);
void test_cxx_guest_memory_is_shared_with_the_guest(conformance_t *t);
void test_cxx_demand_ram_is_there_when_it_is_touched(conformance_t *t);
void test_cxx_a_host_makes_vcpus_by_number(conformance_t *t);
void test_cxx_guests_come_and_go_while_another_runs(conformance_t *t);
void test_cxx_another_guest_is_under_control(conformance_t *t);
void test_cxx_the_virt_machine_prints_and_turns_itself_off(conformance_t *t);

#ifdef __cplusplus
}
#endif
