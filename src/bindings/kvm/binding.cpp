// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface needs from this host for one vm_t (sel4vm/capi/binding.hpp). Physical addresses are the process's own.
#include <bindings/kvm/environment.hpp>

#include <sel4vm/capi/binding.hpp>

#include <sys/mman.h>

namespace sel4vm::kvm {

namespace {

Err<HostError> error(HostErrorKind kind) { return Err{HostError{kind}}; }

Protection protection_of(seL4_CapRights_t rights) {
    return seL4_CapRights_get_capAllowWrite(rights) != 0 ? Protection::read_write_execute : Protection::read_execute;
}

class KvmBinding final : public capi::Binding {
public:
    KvmBinding(Environment &environment, std::shared_ptr<EventPort> events, std::unique_ptr<GuestResources> resources)
        : environment_(environment), events_(std::move(events)), resources_(std::move(resources)) {
        environment_.note_made();
    }
    ~KvmBinding() { environment_.note_gone(); }
    KvmBinding(const KvmBinding &) = delete;
    KvmBinding &operator=(const KvmBinding &) = delete;

    [[nodiscard]] const std::shared_ptr<EventPort> &events() const { return events_; }

    [[nodiscard]] aarch64::GuestResources &resources() override { return *resources_; }
    /// One window over the frames, which are parts of one file; it goes as the host's own blocks do.
    [[nodiscard]] Result<RamBlock, HostError> adopt_ram(Gpa at, u64 size_bytes,
                                                        const capi::FrameSource &frames) override {
        u8 *const window = SEL4VM_TRY(environment_.window_over(at, size_bytes, frames));
        // SAFETY: the process's addresses stand for physical ones.
        return RamBlock{HostPhys{reinterpret_cast<u64>(window)}, window, size_bytes};
    }
    /// Nobody can choose them here.
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram_at(HostPhys, u64, Clearing) override {
        return error(HostErrorKind::not_available);
    }
    [[nodiscard]] Status<HostError> map_frame(Gpa at, const vm_frame_t &frame) override {
        const process::Object *object = environment_.find_frame(frame.cptr);
        if (object == nullptr || object->size_bits != frame.size_bits)
            return error(HostErrorKind::invalid);
        const u64 bytes = u64{1} << object->size_bits;
        const auto range = GpaRange::make(at, bytes);
        if (!range)
            return error(HostErrorKind::invalid);
        if (seL4_CapRights_get_capAllowRead(frame.rights) == 0)
            return Ok{}; // every access faults
        // SAFETY: as above.
        const RamBlock block{HostPhys{reinterpret_cast<u64>(object->window)}, object->window, bytes};
        return resources_->kvm_space().map_ram(*range, block, 0, protection_of(frame.rights));
    }
    void unmap_frames(GpaRange at) override { resources_->kvm_space().unmap(at); }
    [[nodiscard]] Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes) override {
        return resources_->kvm_space().translate(at, size_bytes);
    }
    [[nodiscard]] Status<HostError> add_iospace(vspace_t &, seL4_CPtr) override {
        return error(HostErrorKind::not_available);
    }

private:
    Environment &environment_;
    std::shared_ptr<EventPort> events_;
    std::unique_ptr<GuestResources> resources_;
};

int core_count(void *) { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

} // namespace

} // namespace sel4vm::kvm

namespace sel4vm::capi {

Result<Binding *, HostError> open_binding(vm_t &vm, Binding *peer, const BindingOptions &) {
    if (vm.vka->data == nullptr) // nobody has made it
        return Err{HostError{HostErrorKind::invalid}};
    kvm::Environment &environment = kvm::Environment::of(*vm.vka);
    if (environment.find(vm.host_endpoint, seL4_EndpointObject) == nullptr)
        return Err{HostError{HostErrorKind::invalid}};
    kvm::Shared &shared = environment.shared();
    auto events = peer != nullptr ? static_cast<kvm::KvmBinding *>(peer)->events()
                                  : std::make_shared<kvm::EventPort>(shared.clock, shared.mailbox);
    auto resources = SEL4VM_TRY(kvm::GuestResources::make(shared, *events));
    vm.mem.vm_vspace.data = &environment;
    return new kvm::KvmBinding(environment, std::move(events), std::move(resources));
}

void close_binding(vm_t &, Binding &binding) {
    const std::unique_ptr<kvm::KvmBinding> owned(static_cast<kvm::KvmBinding *>(&binding));
}

Log &host_log() {
    static kvm::Log log;
    return log;
}

} // namespace sel4vm::capi

// Here, so that a program that opens this host also gets the binding from its archive.
using namespace sel4vm;

int vm_host_open(vm_host_t *host) {
    if (host == nullptr)
        return -1;
    *host = {};
    auto made = std::make_unique<kvm::Environment>();
    if (const std::string problem = made->shared().system.open(); !problem.empty()) {
        capi::host_log().line(LogLevel::error, "host", problem);
        return -1;
    }
    const process::Object *const endpoint = made->make(seL4_EndpointObject, seL4_EndpointBits);
    host->vka = made->vka();
    host->simple = {made.get(), kvm::core_count};
    host->vspace = {made.get()};
    host->endpoint = process::handle_of(endpoint);
    host->priority = 1;
    host->impl = made.release();
    return 0;
}
