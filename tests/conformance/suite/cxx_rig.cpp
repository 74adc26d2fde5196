// SPDX-License-Identifier: BSD-2-Clause
#include <suite/cxx_rig.hpp>

#include <bindings/program_host.hpp>

#include <sel4vm/program/host.hpp>

namespace sel4vm::test {

namespace {

struct Printed final : ByteSink {
    void put(std::span<const u8> bytes) override {
        for (const u8 byte : bytes)
            text << static_cast<char>(byte);
    }
    Text<64> text;
};

} // namespace

LinkedEnvironment::LinkedEnvironment(conformance_t *t) {
    const auto opened = bindings::open_program_host(*t->host);
    if (CHECK(t, opened.has_value()))
        host_ = *opened;
}

LinkedEnvironment::~LinkedEnvironment() {
    if (host_ != nullptr)
        bindings::close_program_host(*host_);
}

CxxRig::CxxRig(conformance_t *t) : t_(t), environment_(t) {
    if (environment_.host() == nullptr || CHECK(t, objects_.open(*environment_.host()).has_value()) == 0 ||
        CHECK(t, objects_.make_vcpus(VmId{0}, 1).has_value()) == 0)
        return;
    aarch64::GuestResources &resources = objects_.resources();
    vm_.emplace(VmConfig{"test", VmId{0}}, resources.space(), resources.allocator(), resources.log());
    executor_.emplace(resources.events(), resources.clock(), static_cast<ExecutorListener &>(*this));
    vm_->set_lifecycle_hooks(this);
    const bool built = vm_->add_vcpu(*objects_.vcpus()[0].vcpu).has_value() &&
                       vm_->add_memory(range(RAM, RAM_SIZE), RegionKind::ram).has_value() &&
                       psci_.register_all(vm_->hypercalls()).has_value() && executor_->add(*vm_);
    if (CHECK(t, built) == 0)
        vm_.reset();
}

CxxRig::~CxxRig() {
    if (executor_ && vm_) {
        executor_->flush();
        executor_->remove(*vm_);
    }
    objects_.destroy_vcpus();
}

u32 by_conduit(const conformance_t *t, u32 instruction) {
    return instruction == A64_SMC && (t->abilities & CONFORMANCE_KEEPS_CALLS) != 0 ? A64_HVC : instruction;
}

void CxxRig::load(std::span<const u32> code) {
    u64 at = CODE;
    for (const u32 instruction : code) {
        const u32 word = by_conduit(t_, instruction);
        const std::span<const u8> bytes{reinterpret_cast<const u8 *>(&word), sizeof word};
        CHECK(t_, vm_->memory().load_image(Gpa{at}, bytes).has_value());
        at += sizeof word;
    }
}

StopReason CxxRig::run() {
    CHECK(t_, vm_->start().has_value());
    executor_->run();
    return vm_->state() == VmState::stopped ? vm_->stop_reason() : StopReason::none;
}

u64 CxxRig::result(unsigned index) {
    const auto value = vm_->memory().load<u64>(Gpa{RESULTS + u64{index} * 8});
    CHECK(t_, value.has_value());
    return value.value_or(0);
}

namespace {

/// Runs it twice: the second time as a second guest beside the first.
void run_virt_machine(program::Host &host, conformance_t *t, const machine::MachineDescription &description,
                      std::span<const u8> firmware, std::string_view expected) {
    Printed printed;
    const std::span<const u8> images[] = {firmware};
    const auto first = host.make_guest(description, {.images = images, .console = &printed});
    const auto second = host.make_guest(description, {.images = images, .console = &printed});
    if (CHECK(t, first.has_value() && second.has_value()) == 0)
        return;
    for (const auto *guest : {&first, &second}) {
        printed.text.clear();
        CHECK(t, (**guest)->start().has_value());
        host.run();
        CHECK(t, (**guest)->stop_reason() == StopReason::powered_off);
        CHECK(t, printed.text.view() == expected);
    }
}

} // namespace

void run_virt_machine(conformance_t *t, std::span<const u8> firmware, std::string_view expected) {
    const LinkedEnvironment environment(t);
    program::Host host;
    if (environment.host() == nullptr || CHECK(t, host.open(*environment.host()).has_value()) == 0)
        return;
    CHECK(t, !host.open(*environment.host()) && !host.file("no such file"));
    // In the host's memory: descriptions are larger than what a small stack should hold.
    const auto description = Owned<machine::MachineDescription>::make(host.allocator());
    if (CHECK(t, static_cast<bool>(description)) == 0)
        return;
    description->name = "virt";
    description->memory = {{.base = Gpa{RAM}, .size_bytes = RAM_SIZE}};
    description->devices = {machine::default_uart()};
    description->images = {
        {.kind = machine::ImageKind::firmware, .where = Gpa{0}, .size_bytes = firmware.size(), .source = "firmware"}};
    for (const auto version : {machine::GicVersion::v2, machine::GicVersion::v3}) {
        description->gic.version = version;
        const aarch64::GicSupport gic = host.gic();
        if (version == machine::GicVersion::v2 ? gic.v2 : gic.v3)
            run_virt_machine(host, t, *description, firmware, expected);
        else
            CHECK(t, !host.make_guest(*description, {.images = {&firmware, 1}}));
    }
    // As many vCPUs as the interrupt controller can have, or the host says that it has fewer.
    description->vcpu_count = description->gic.version == machine::GicVersion::v2 ? 8 : 32;
    if (description->gic.version == host.gic_version()) {
        const auto large = host.make_guest(*description, {.images = {&firmware, 1}});
        CHECK(t, large.has_value() || large.error().key.view() == "vcpus");
    }
    description->vcpu_count = 1;
    // What is wrong is said, and nothing stays of it.
    CHECK(t, host.make_guest(*description).error().message.view() == "no file 'firmware' came with the program");
    description->vcpu_count = 0;
    CHECK(t, host.make_guest(*description, {.images = {&firmware, 1}}).error().key.view() == "vm[0].vcpus");
}

} // namespace sel4vm::test
