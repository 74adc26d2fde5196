// SPDX-License-Identifier: BSD-2-Clause
#include <suite/cxx_rig.hpp>

#include <sel4vm/machine/validate.hpp>
#include <sel4vm/machine/virt_machine.hpp>

namespace sel4vm::test {

namespace {

struct Quiet final : ExecutorListener {
    void notification(u64, u64) override {}
    void vm_stopped(Vm &) override {}
};

struct Printed final : ByteSink {
    void put(std::span<const u8> bytes) override {
        for (const u8 byte : bytes)
            text << static_cast<char>(byte);
    }
    Text<64> text;
};

} // namespace

CxxHost::CxxHost(conformance_t *t) : t_(t) {
    vm_.vka = &t->host->vka;
    vm_.simple = &t->host->simple;
    vm_.io_ops = &t->host->io_ops;
    vm_.mem.vmm_vspace = t->host->vspace;
    vm_.host_endpoint = t->host->endpoint;
    vcpu_.vm = &vm_;
    vcpu_.target_cpu = -1;
    const auto opened = capi::open_binding(vm_, nullptr, {});
    if (CHECK(t, opened.has_value()) == 0)
        return;
    binding_ = *opened;
    const auto ports = binding_->create_vcpu(vcpu_, VmId{0}, VcpuId{0}, t->host->priority);
    if (CHECK(t, ports.has_value()) != 0)
        ports_ = *ports;
}

void CxxHost::destroy_vcpu() {
    if (ports_.vcpu != nullptr)
        binding_->destroy_vcpu(vcpu_);
    ports_ = {};
}

CxxHost::~CxxHost() {
    destroy_vcpu();
    if (binding_ != nullptr)
        capi::close_binding(vm_, *binding_);
}

CxxRig::CxxRig(conformance_t *t) : t_(t), host_(t) {
    if (!host_.ready())
        return;
    capi::Binding &binding = host_.binding();
    vm_.emplace(VmConfig{"test", VmId{0}}, binding.space(), binding.allocator(), binding.log());
    executor_.emplace(binding.events(), binding.clock(), static_cast<ExecutorListener &>(*this));
    vm_->set_lifecycle_hooks(this);
    const bool built = vm_->add_vcpu(*host_.ports().vcpu).has_value() &&
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
    host_.destroy_vcpu();
}

void CxxRig::load(std::span<const u32> code) {
    const std::span<const u8> bytes{reinterpret_cast<const u8 *>(code.data()), code.size_bytes()};
    CHECK(t_, vm_->memory().load_image(Gpa{CODE}, bytes).has_value());
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

void run_virt_machine(conformance_t *t, std::span<const u8> firmware, std::string_view expected,
                      machine::GicVersion version) {
    CxxHost host(t);
    if (!host.ready())
        return;
    capi::Binding &binding = host.binding();
    const capi::GicSupport gic = binding.gic();
    if (!(version == machine::GicVersion::v2 ? gic.v2 : gic.v3)) {
        host.destroy_vcpu();
        return;
    }
    // In the host's memory: descriptions are larger than what a small stack should hold.
    auto description = Owned<machine::MachineDescription>::make(binding.allocator());
    if (CHECK(t, static_cast<bool>(description)) == 0)
        return;
    description->name = "virt";
    description->gic.version = version;
    CHECK(t, description->memory.emplace_back(machine::MemoryRegion{Gpa{RAM}, RAM_SIZE}) != nullptr);
    CHECK(t, description->devices.emplace_back(machine::default_uart()) != nullptr);
    machine::ImageRecord image;
    image.kind = machine::ImageKind::firmware;
    image.where = Gpa{0};
    image.size_bytes = firmware.size();
    CHECK(t, description->images.emplace_back(image) != nullptr);
    CHECK(t, machine::validate(*description, 0).empty());

    Quiet listener;
    Printed printed;
    auto executor = Owned<Executor>::make(binding.allocator(), binding.events(), binding.clock(),
                                          static_cast<ExecutorListener &>(listener));
    const machine::VcpuPorts ports{host.ports().vcpu, host.ports().list_registers, host.ports().timer};
    if (CHECK(t, static_cast<bool>(executor)) == 0)
        return;
    const machine::HostSide side{.id = VmId{0},
                                 .space = binding.space(),
                                 .vcpus = {&ports, 1},
                                 .allocator = binding.allocator(),
                                 .log = binding.log(),
                                 .clock = binding.clock(),
                                 .entropy = binding.entropy(),
                                 .timeouts = executor->timeouts(),
                                 .console = &printed,
                                 .gic_v2 = gic.v2,
                                 .gic_v3 = gic.v3,
                                 .gic_cpu_interface = gic.cpu_interface};
    const std::span<const u8> blobs[] = {firmware};
    auto virt = Owned<machine::VirtMachine>::make(binding.allocator(), *description, std::span(blobs), side);
    if (CHECK(t, virt && virt->build().has_value()) != 0 && CHECK(t, executor->add(virt->vm())) != 0 &&
        CHECK(t, virt->vm().start().has_value()) != 0) {
        executor->run();
        CHECK(t, virt->vm().stop_reason() == StopReason::powered_off);
        CHECK(t, printed.text.view() == expected);
        executor->flush();
        executor->remove(virt->vm());
    }
    host.destroy_vcpu();
}

} // namespace

void run_virt_machine(conformance_t *t, std::span<const u8> firmware, std::string_view expected) {
    run_virt_machine(t, firmware, expected, machine::GicVersion::v2);
    run_virt_machine(t, firmware, expected, machine::GicVersion::v3);
}

} // namespace sel4vm::test
