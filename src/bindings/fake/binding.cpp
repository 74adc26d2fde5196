// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface needs from this host for one vm_t (sel4vm/capi/binding.hpp).
#include <bindings/fake/host.hpp>
#include <hosts/fake/counted_space.hpp>
#include <hosts/fake/guest_cpu_port.hpp>
#include <hosts/fake/guest_resources.hpp>

#include <sel4vm/capi/binding.hpp>

#include <cstring>
#include <sys/mman.h>

namespace sel4vm::fake {

namespace {

Err<HostError> error(HostErrorKind kind) { return Err{HostError{kind}}; }

Protection protection_of(seL4_CapRights_t rights) {
    return seL4_CapRights_get_capAllowWrite(rights) != 0 ? Protection::read_write_execute : Protection::read_execute;
}

/// The guest's space, with blocks of client frames beside its own.
class Space final : public CountedSpace {
public:
    explicit Space(Host &host) : CountedSpace(host), host_(host) {}
    ~Space() {
        for (const auto &[window, size] : adopted_)
            release(window, size);
    }

    void free_ram(const RamBlock &block) override {
        const auto found = adopted_.find(block.phys.value());
        if (found == adopted_.end())
            return CountedSpace::free_ram(block);
        host_.note_gone();
        munmap(const_cast<u8 *>(block.window), block.size_bytes);
        adopted_.erase(found);
    }

    /// One window over the frames, which are parts of one file.
    [[nodiscard]] Result<RamBlock, HostError> adopt(Gpa at, u64 size_bytes, const capi::FrameSource &frames) {
        if (host_.refuses())
            return error(HostErrorKind::out_of_memory);
        u8 *const window = SEL4VM_TRY(host_.window_over(at, size_bytes, frames));
        host_.note_made();
        adopted_[reinterpret_cast<u64>(window)] = size_bytes;
        return RamBlock{HostPhys{reinterpret_cast<u64>(window)}, window, size_bytes};
    }
    [[nodiscard]] Status<HostError> map_frame(Gpa at, const vm_frame_t &frame) {
        const process::Object *object = host_.find_frame(frame.cptr);
        if (object == nullptr || object->size_bits != frame.size_bits)
            return error(HostErrorKind::invalid);
        if (host_.refuses())
            return error(HostErrorKind::out_of_memory);
        const u64 bytes = u64{1} << object->size_bits;
        if (seL4_CapRights_get_capAllowRead(frame.rights) == 0)
            return Ok{}; // every access faults
        const RamBlock block{HostPhys{reinterpret_cast<u64>(object->window)}, object->window, bytes};
        return inner().map_ram(*GpaRange::make(at, bytes), block, 0, protection_of(frame.rights));
    }

private:
    static void release(u64 window, u64 size) { munmap(reinterpret_cast<void *>(window), size); }
    Host &host_;
    std::map<u64, u64> adopted_; // window -> size
};

class FakeBinding final : public capi::Binding {
public:
    FakeBinding(Host &host, std::shared_ptr<GuestCpuPort> endpoint)
        : endpoint_(std::move(endpoint)), space_(host), resources_(host, *endpoint_, space_) {}

    [[nodiscard]] const std::shared_ptr<GuestCpuPort> &endpoint() const { return endpoint_; }

    [[nodiscard]] aarch64::GuestResources &resources() override { return resources_; }
    [[nodiscard]] Result<RamBlock, HostError> adopt_ram(Gpa at, u64 size_bytes,
                                                        const capi::FrameSource &frames) override {
        return space_.adopt(at, size_bytes, frames);
    }
    /// The fake machine has all addresses; its memory is where the process has it all the same.
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram_at(HostPhys, u64 size_bytes, Clearing clearing) override {
        return space_.allocate_ram(size_bytes, kPageBytes, clearing);
    }
    [[nodiscard]] Status<HostError> map_frame(Gpa at, const vm_frame_t &frame) override {
        return space_.map_frame(at, frame);
    }
    void unmap_frames(GpaRange at) override { space_.unmap(at); }
    [[nodiscard]] Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes) override {
        const GuestSpace::Page *first = space_.inner().page(at);
        if (first == nullptr)
            return error(HostErrorKind::invalid);
        const u64 phys = first->phys + at.value() % kPageBytes;
        for (u64 done = kPageBytes - at.value() % kPageBytes; done < size_bytes; done += kPageBytes) {
            const GuestSpace::Page *page = space_.inner().page(Gpa{at.value() + done});
            if (page == nullptr || page->phys != phys + done)
                return error(HostErrorKind::invalid);
        }
        return HostPhys{phys};
    }
    [[nodiscard]] Status<HostError> add_iospace(vspace_t &, seL4_CPtr) override {
        return error(HostErrorKind::not_available);
    }

private:
    std::shared_ptr<GuestCpuPort> endpoint_;
    Space space_;
    GuestResources resources_;
};

} // namespace

namespace {

int core_count(void *) { return 4; }

} // namespace

} // namespace sel4vm::fake

namespace sel4vm::capi {

Result<Binding *, HostError> open_binding(vm_t &vm, Binding *peer, const BindingOptions &) {
    if (vm.vka->data == nullptr) // nobody has made it
        return Err{HostError{HostErrorKind::invalid}};
    fake::Host &host = fake::Host::of(*vm.vka);
    if (host.find(vm.host_endpoint, seL4_EndpointObject) == nullptr)
        return Err{HostError{HostErrorKind::invalid}};
    if (host.refuses())
        return Err{HostError{HostErrorKind::out_of_memory}};
    auto endpoint = peer != nullptr ? static_cast<fake::FakeBinding *>(peer)->endpoint()
                                    : std::make_shared<fake::GuestCpuPort>(host);
    host.note_made();
    vm.mem.vm_vspace.data = &host;
    return new fake::FakeBinding(host, std::move(endpoint));
}

void close_binding(vm_t &, Binding &binding) {
    const std::unique_ptr<fake::FakeBinding> owned(static_cast<fake::FakeBinding *>(&binding));
    static_cast<fake::Host &>(owned->resources().allocator()).note_gone();
}

Log &host_log() { return fake::program_log(); }

} // namespace sel4vm::capi

// Here, so that a program that opens this host also gets the binding from its archive.
using namespace sel4vm;

int vm_host_open(vm_host_t *host) {
    if (host == nullptr)
        return -1;
    *host = {};
    auto made = std::make_unique<fake::Host>();
    const process::Object *endpoint = made->make(seL4_EndpointObject, seL4_EndpointBits);
    host->vka = made->vka();
    host->simple = {made.get(), fake::core_count};
    host->vspace = {made.get()};
    host->endpoint = process::handle_of(endpoint);
    host->priority = 100;
    host->impl = made.release();
    return 0;
}
