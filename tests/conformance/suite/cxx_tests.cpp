// SPDX-License-Identifier: BSD-2-Clause
//
// The C++ interface on whatever host is linked: VMs made of the host's own ports, which a binding gives for any of them.
#include <suite/cxx_rig.hpp>

#include <array>

namespace sel4vm::test {

namespace {

/// Two registers: the number of accesses so far, and the last value written.
class Counter final : public MmioDevice {
public:
    [[nodiscard]] const char *name() const override { return "counter"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override {
        ++accesses;
        widths |= bytes_of(access.width);
        if (access.offset >= 0x100)
            return Err{BusFault::unmapped};
        return access.offset == 0 ? u64{accesses} : last;
    }
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override {
        ++accesses;
        widths |= bytes_of(access.width);
        last = value;
        return Ok{};
    }
    void reset() override { last = 0; }
    u32 accesses = 0;
    u32 widths = 0;
    u64 last = 0;
};

/// Skips everything that nobody owns.
struct Skip final : MistakeHandler {
    [[nodiscard]] Answer decide(Vcpu &, Mistake mistake, const Exit &exit) override {
        ++mistakes;
        gpa = exit.kind == ExitKind::memory ? exit.memory.gpa.value() : 0;
        return mistake == Mistake::unmapped_access ? Answer::complete(0x5a) : Answer::none();
    }
    u32 mistakes = 0;
    u64 gpa = 0;
};

} // namespace

} // namespace sel4vm::test

using namespace sel4vm;
using namespace sel4vm::test;

void test_cxx_a_device_serves_accesses_of_each_width(conformance_t *t) {
    static constexpr std::array kCode{A64_LOAD(1U, DEVICE),
                                      A64_LOAD(2U, RESULTS),
                                      A64_LOAD(4U, 0x11223344U),
                                      A64_STR_W(4U, 1U, 1U),
                                      A64_LDR_W(5U, 1U, 1U),
                                      A64_STR_X(5U, 2U, 0U),
                                      A64_STRB(4U, 1U, 4U),
                                      A64_LDRB(5U, 1U, 4U),
                                      A64_STR_X(5U, 2U, 1U),
                                      A64_STRH(4U, 1U, 2U),
                                      A64_LDR_X(5U, 1U, 0U),
                                      A64_STR_X(5U, 2U, 2U),
                                      A64_NOP,
                                      A64_POWER_OFF};
    CxxRig rig(t);
    Counter counter;
    if (!rig.ready() || !CHECK(t, rig.vm().attach(rig.range(DEVICE, 0x1000), counter).has_value()))
        return;
    rig.load(kCode);
    CHECK(t, rig.run() == StopReason::powered_off);
    CHECK(t, rig.result(0) == 0x11223344);
    CHECK(t, rig.result(1) == 0x44);
    CHECK(t, rig.result(2) == 6);
    CHECK(t, counter.accesses == 6 && counter.widths == (1 | 2 | 4 | 8));
    CHECK(t, counter.last == 0x3344);
}

void test_cxx_a_mistake_handler_decides_before_the_policy(conformance_t *t) {
    static constexpr std::array kCode{
        A64_LOAD(1U, DEVICE), A64_LOAD(2U, RESULTS), A64_LDR_W(5U, 1U, 3U), A64_STR_X(5U, 2U, 0U), A64_NOP,
        A64_POWER_OFF};
    CxxRig rig(t);
    Skip skip;
    if (!rig.ready())
        return;
    rig.vm().set_mistake_handler(&skip);
    rig.load(kCode);
    CHECK(t, rig.run() == StopReason::powered_off);
    CHECK(t, skip.mistakes == 1 && skip.gpa == DEVICE + 12);
    CHECK(t, rig.result(0) == 0x5a);
}

void test_cxx_guest_memory_is_shared_with_the_guest(conformance_t *t) {
    static constexpr std::array kCode{
        A64_LOAD(2U, RESULTS), A64_LDR_X(4U, 2U, 0U), A64_ADD(4U, 4U, 1U), A64_STR_X(4U, 2U, 1U), A64_NOP,
        A64_POWER_OFF};
    CxxRig rig(t);
    if (!rig.ready())
        return;
    rig.load(kCode);
    GuestMemory &memory = rig.vm().memory();
    const u64 value = 41;
    CHECK(t, memory.load_image(Gpa{RESULTS}, {reinterpret_cast<const u8 *>(&value), sizeof(value)}).has_value());
    CHECK(t, rig.run() == StopReason::powered_off);
    CHECK(t, rig.result(1) == 42);
    CHECK(t, memory.load<u64>(Gpa{RAM + RAM_SIZE}).has_value() == false);
}

void test_cxx_demand_ram_is_there_when_it_is_touched(conformance_t *t) {
    constexpr u32 kDemand = 0x50000000;
    static constexpr std::array kCode{A64_LOAD(1U, kDemand), A64_LOAD(2U, RESULTS), A64_LDR_X(4U, 1U, 0U),
                                      A64_STR_X(4U, 2U, 0U), A64_STR_X(1U, 1U, 5U), A64_NOP,
                                      A64_POWER_OFF};
    CxxRig rig(t);
    if (!rig.ready())
        return;
    const auto added = rig.vm().add_memory(rig.range(kDemand, 4 * kMiB), RegionKind::demand_ram);
    if (!CHECK(t, added.has_value()))
        return;
    rig.load(kCode);
    CHECK(t, rig.run() == StopReason::powered_off);
    CHECK(t, rig.result(0) == 0);
    CHECK(t, rig.vm().memory().load<u64>(Gpa{kDemand + 40}).value_or(0) == kDemand);
}

void test_cxx_a_host_makes_vcpus_by_number(conformance_t *t) {
    const LinkedEnvironment environment(t);
    program::HostObjects objects;
    if (environment.host() == nullptr || !CHECK(t, objects.open(*environment.host()).has_value()))
        return;
    aarch64::GuestResources &resources = objects.resources();
    CHECK(t, &resources.events() == &environment.host()->events());
    CHECK(t, environment.host()->gic().v2 == resources.gic().v2 && environment.host()->gic().v3 == resources.gic().v3);
    const u32 limit = resources.max_vcpus();
    CHECK(t, limit >= 1);
    const int priority = environment.host()->vcpu_priority();
    const auto refusal = [&](u32 id) {
        const auto made = resources.create_vcpu(VmId{0}, VcpuId{static_cast<u16>(id)}, priority);
        return made ? HostErrorKind::failed : made.error().kind;
    };
    CHECK(t, refusal(limit) == HostErrorKind::invalid);
    // Any order, and again after its end.
    const auto last = VcpuId{static_cast<u16>(limit - 1)};
    for (int round = 0; round < 2; ++round) {
        const auto ports = resources.create_vcpu(VmId{0}, last, priority);
        CHECK(t, ports.has_value() && ports->vcpu != nullptr);
        CHECK(t, refusal(last.value()) == HostErrorKind::invalid);
        CHECK(t, resources.bind_vcpu(last, 0).has_value());
        resources.destroy_vcpu(last);
    }
    resources.destroy_vcpu(last); // there is none, and none of the next number can be
    resources.destroy_vcpu(VcpuId{static_cast<u16>(limit)});
}

void test_cxx_the_virt_machine_prints_and_turns_itself_off(conformance_t *t) {
    // Enables the UART and says "ok".
    std::array code{A64_LOAD(1U, 0x09000000U), A64_LOAD(4U, 0x301U), A64_STR_W(4U, 1U, 12U), A64_LOAD(4U, 0x6fU),
                    A64_STR_W(4U, 1U, 0U),     A64_LOAD(4U, 0x6bU),  A64_STR_W(4U, 1U, 0U),  A64_POWER_OFF};
    for (u32 &instruction : code)
        instruction = by_conduit(t, instruction);
    run_virt_machine(t, {reinterpret_cast<const u8 *>(code.data()), sizeof(code)}, "ok");
}
