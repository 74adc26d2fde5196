// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface needs from this host for one vm_t (sel4vm/capi/binding.hpp).
#include <bindings/el2/adopting_space.hpp>
#include <bindings/el2/objects.hpp>
#include <bindings/el2/program.hpp>
#include <bindings/el2/vcpu_context.hpp>
#include <hosts/el2/guest_resources.hpp>

#include <sel4vm/capi/binding.hpp>

namespace sel4vm::el2 {

namespace {

class El2Binding final : public capi::Binding {
public:
    El2Binding(Program &program, EndpointExecutor &executor, Owned<GuestSpace> space)
        : program_(program), executor_(program.host(), executor), space_(program.host(), std::move(space)),
          resources_({program.host(), program.log(), executor.processor(), executor, space_.inner(), space_}) {}

    [[nodiscard]] EndpointExecutor &executor() { return executor_.executor(); }

    [[nodiscard]] aarch64::GuestResources &resources() override { return resources_; }

    // Without memory for it, registers are read one by one.
    [[nodiscard]] capi::ContextPort *context(VcpuId id) override {
        Owned<VcpuContext> &context = contexts_[id.value()];
        context = Owned<VcpuContext>::make(program_.host().heap(), resources_.vcpu(id));
        return context.get();
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
        return program_.host().pages().allocate_ram_at(*range, clearing);
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
    // No IOMMU is driven.
    [[nodiscard]] Status<HostError> add_iospace(vspace_t &, seL4_CPtr) override {
        return Err{HostError{HostErrorKind::not_available}};
    }

private:
    Program &program_;
    ExecutorShare executor_;
    AdoptingSpace space_;
    GuestResources resources_;
    std::array<Owned<VcpuContext>, GuestResources::kMaxVcpus> contexts_; // by number
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
    auto space = SEL4VM_TRY(program.host().make_guest_space());
    Heap &heap = program.host().heap();
    Owned<EndpointExecutor> fresh;
    if (peer == nullptr &&
        !(fresh = EndpointExecutor::make(program.host(), program.claim(), *endpoint, program.slice_microseconds())))
        return Err{HostError{HostErrorKind::out_of_memory}};
    EndpointExecutor &executor = peer != nullptr ? static_cast<El2Binding *>(peer)->executor() : *fresh;
    auto binding = Owned<El2Binding>::make(heap, program, executor, std::move(space));
    if (!binding)
        return Err{HostError{HostErrorKind::out_of_memory}};
    static_cast<void>(fresh.release()); // now the binding's
    vm.mem.vm_vspace = {&program};
    vm.mem.vm_vspace_root = {};
    vm.cspace = {};
    return binding.release();
}

void close_binding(vm_t &, Binding &binding) {
    using namespace sel4vm::el2;
    static_cast<void>(Owned<El2Binding>::take(Program::current().host().heap(), static_cast<El2Binding *>(&binding)));
}

} // namespace sel4vm::capi
