// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface needs from this host for one vm_t (sel4vm/capi/binding.hpp).
#include <bindings/el2/adopting_space.hpp>
#include <bindings/el2/objects.hpp>
#include <bindings/el2/program.hpp>
#include <hosts/el2/vcpu/vcpu.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/capi/binding.hpp>
#include <sel4vm/vm/vm.hpp>

#include <array>
#include <memory>
#include <new>

namespace sel4vm::el2 {

namespace {

class El2Binding final : public capi::Binding {
public:
    El2Binding(Program &program, EndpointExecutor &executor, Owned<GuestSpace> space)
        : program_(program), executor_(executor), space_(program.host(), std::move(space)) {
        executor_.join();
    }
    ~El2Binding() {
        if (!executor_.leave())
            return;
        std::destroy_at(&executor_);
        host().heap().deallocate(&executor_, sizeof(EndpointExecutor), alignof(EndpointExecutor));
    }
    El2Binding(const El2Binding &) = delete;
    El2Binding &operator=(const El2Binding &) = delete;

    [[nodiscard]] Allocator &allocator() override { return host().heap(); }
    [[nodiscard]] Log &log() override { return program_.log(); }
    [[nodiscard]] Clock &clock() override { return host().clock(); }
    [[nodiscard]] Entropy &entropy() override { return host().entropy(); }
    [[nodiscard]] GuestSpacePort &space() override { return space_; }
    [[nodiscard]] EventPort &events() override { return executor_; }
    [[nodiscard]] EndpointExecutor &executor() { return executor_; }
    [[nodiscard]] capi::GicSupport gic() override {
        const GicVersionsSupported supported = executor_.processor().gic_versions();
        capi::GicSupport gic;
        gic.v2 = supported.v2;
        gic.v3 = supported.v3;
        if (const auto &gicv = host().platform().gic.virtual_interface)
            gic.cpu_interface = gicv->base();
        gic.own_deactivation = true;
        return gic;
    }
    [[nodiscard]] Conduit firmware_conduit() override { return Conduit::hvc; }

    [[nodiscard]] Result<capi::VcpuPorts, HostError> create_vcpu(vm_vcpu_t &vcpu, VmId vm, VcpuId id,
                                                                 int priority) override {
        for (Made &made : vcpus_) {
            if (made.vcpu)
                continue;
            const VcpuSetup setup{vm, id, aarch64::affinity_of_vcpu(id.value()), 0};
            made.vcpu = Owned<Vcpu>::make(host().heap(), executor_.processor(), space_.inner(), share_, setup);
            if (!made.vcpu)
                return Err{HostError{HostErrorKind::out_of_memory}};
            made.client = &vcpu;
            vcpu.vcpu = {};
            vcpu.tcb = {};
            vcpu.tcb.priority = priority;
            return capi::VcpuPorts{made.vcpu.get(), &made.vcpu->list_registers(), &made.vcpu->timer()};
        }
        return Err{HostError{HostErrorKind::out_of_memory}};
    }
    void destroy_vcpu(vm_vcpu_t &vcpu) override {
        for (Made &made : vcpus_) {
            if (made.client != &vcpu)
                continue;
            made.vcpu.reset();
            made.client = nullptr;
        }
    }
    [[nodiscard]] Status<HostError> assign_target(vm_vcpu_t &, int target_cpu) override {
        // One CPU runs all vCPUs, whichever of the guest's CPUs the client takes them for.
        if (target_cpu >= CONFIG_MAX_NUM_NODES)
            return Err{HostError{HostErrorKind::invalid}};
        return Ok{};
    }

    [[nodiscard]] Result<RamBlock, HostError> adopt_ram(Gpa at, u64 size_bytes,
                                                        const capi::FrameSource &frames) override {
        return space_.adopt(at, size_bytes, frames);
    }
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram_at(HostPhys phys, u64 size_bytes,
                                                              Clearing clearing) override {
        const auto range = HostPhysRange::make(phys, size_bytes);
        if (!range)
            return Err{HostError{HostErrorKind::invalid}};
        return host().pages().allocate_ram_at(*range, clearing);
    }
    [[nodiscard]] Status<HostError> map_frame(Gpa at, const vm_frame_t &frame) override {
        return space_.map_frame(at, frame);
    }
    void unmap_frames(GpaRange at) override { space_.unmap(at); }
    [[nodiscard]] Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes) override {
        const auto first = space_.inner().translate(at);
        if (!first || size_bytes == 0)
            return Err{HostError{HostErrorKind::invalid}};
        const u64 in_page = at.value() % kPageBytes;
        for (u64 offset = kPageBytes - in_page; offset < size_bytes; offset += kPageBytes) {
            const auto next = checked_add(at.value(), offset);
            const auto there = next ? space_.inner().translate(Gpa{*next}) : std::nullopt;
            if (!there || there->value() != first->value() + offset)
                return Err{HostError{HostErrorKind::invalid}};
        }
        return *first;
    }

    // A bare machine: no IOMMU is driven, and guests have no capabilities.
    [[nodiscard]] Status<HostError> add_iospace(vspace_t &, seL4_CPtr) override { return not_available(); }

private:
    struct Made {
        const vm_vcpu_t *client = nullptr;
        Owned<Vcpu> vcpu;
    };
    static Status<HostError> not_available() { return Err{HostError{HostErrorKind::not_available}}; }
    [[nodiscard]] Host &host() { return program_.host(); }

    Program &program_;
    EndpointExecutor &executor_;
    AdoptingSpace space_;
    VmShare share_;
    std::array<Made, Vm::kMaxVcpus> vcpus_; // a vm_t has CONFIG_MAX_NUM_NODES, a C++ program as many as a VM can have
};

} // namespace

} // namespace sel4vm::el2

namespace sel4vm::capi {

Result<Binding *, HostError> open_binding(vm_t &vm, Binding *peer, const BindingOptions &) {
    using namespace sel4vm::el2;
    Program &program = Program::current();
    program.claim().take_back(); // for what the caller does until the next wait
    auto *endpoint = object_of<Endpoint>(HandleKind::endpoint, vm.host_endpoint);
    if (endpoint == nullptr)
        return Err{HostError{HostErrorKind::invalid}};
    auto space = program.host().make_guest_space();
    if (!space)
        return Err{space.error()};
    Heap &heap = program.host().heap();
    void *block = heap.allocate(sizeof(El2Binding), alignof(El2Binding));
    void *fresh = peer != nullptr ? nullptr : heap.allocate(sizeof(EndpointExecutor), alignof(EndpointExecutor));
    if (block == nullptr || (peer == nullptr && fresh == nullptr)) {
        if (block != nullptr)
            heap.deallocate(block, sizeof(El2Binding), alignof(El2Binding));
        if (fresh != nullptr)
            heap.deallocate(fresh, sizeof(EndpointExecutor), alignof(EndpointExecutor));
        return Err{HostError{HostErrorKind::out_of_memory}};
    }
    EndpointExecutor &executor =
        peer != nullptr
            ? static_cast<El2Binding *>(peer)->executor()
            : *::new (fresh) EndpointExecutor(program.host(), program.claim(), *endpoint, program.slice_microseconds());
    vm.mem.vm_vspace = {&program};
    vm.mem.vm_vspace_root = {};
    vm.cspace = {};
    return ::new (block) El2Binding(program, executor, *std::move(space));
}

void close_binding(vm_t &, Binding &binding) {
    using namespace sel4vm::el2;
    Heap &heap = Program::current().host().heap();
    auto *mine = static_cast<El2Binding *>(&binding);
    std::destroy_at(mine);
    heap.deallocate(mine, sizeof(El2Binding), alignof(El2Binding));
}

} // namespace sel4vm::capi
