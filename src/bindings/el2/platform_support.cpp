// SPDX-License-Identifier: BSD-2-Clause
//
// What the platform support library needs from this host: images of the bundle, pages, and the host's view of them.
#include <bindings/el2/objects.hpp>
#include <bindings/el2/program.hpp>

#include <sel4vmmplatsupport/host_hooks.hpp>

#include <cstring>

namespace sel4vm::platsupport {

namespace {

using el2::Program;

/// An image in memory, in the host's heap.
class BundleSource final : public ImageSource {
public:
    explicit BundleSource(std::span<const u8> bytes) : bytes_(bytes) {}
    [[nodiscard]] u64 size_bytes() override { return bytes_.size(); }
    [[nodiscard]] bool read(u64 offset, std::span<u8> out) override {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
            return false;
        if (!out.empty())
            std::memcpy(out.data(), bytes_.data() + offset, out.size());
        return true;
    }

private:
    std::span<const u8> bytes_;
};

Result<Page, HostError> make_page(uintptr_t phys) {
    vka_t vka = el2::make_vka(Program::current());
    Page page;
    if (vka_alloc_frame_at(&vka, seL4_PageBits, phys, &page.object) != 0)
        return Err{HostError{HostErrorKind::out_of_memory}};
    page.frame = page.object.cptr;
    return page;
}

} // namespace

Result<ImageSource *, HostError> open_image(vm_t &, const char *name) {
    Program &program = Program::current();
    const auto bytes = program.image(name);
    if (!bytes)
        return Err{HostError{HostErrorKind::invalid}};
    void *block = program.host().heap().allocate(sizeof(BundleSource), alignof(BundleSource));
    if (block == nullptr)
        return Err{HostError{HostErrorKind::out_of_memory}};
    return static_cast<ImageSource *>(::new (block) BundleSource(*bytes));
}

void close_image(vm_t &, ImageSource &image) {
    Program::current().host().heap().deallocate(static_cast<BundleSource *>(&image), sizeof(BundleSource),
                                                alignof(BundleSource));
}

Result<Page, HostError> allocate_page(vm_t &) { return make_page(VKA_NO_PADDR); }
Result<Page, HostError> page_at(vm_t &, u64 phys) { return make_page(phys); }
bool is_device_page(vm_t &, u64 phys) { return !el2::is_ram(Program::current().host().platform(), HostPhys{phys}); }

// A frame may be mapped any number of times here.
Result<Page, HostError> duplicate_page(vm_t &, const Page &page) { return Page{page.frame, {}}; }

void free_page(vm_t &, const Page &page) {
    if (page.object.cptr == seL4_CapNull)
        return;
    vka_t vka = el2::make_vka(Program::current());
    vka_object_t object = page.object;
    vka_free_object(&vka, &object);
}

Result<void *, HostError> show_page(vm_t &vm, const Page &page) {
    const auto range = el2::frame_range(page.frame);
    if (!range)
        return Err{HostError{HostErrorKind::invalid}};
    if (is_device_page(vm, range->base().value())) {
        if (auto mapped = Program::current().host().map().map(*range, el2::HostMemory::device); !mapped)
            return Err{mapped.error()};
    }
    // SAFETY: RAM is always mapped at its own address, and the device now is.
    return reinterpret_cast<void *>(range->base().value());
}

// Devices stay mapped: the host may use the same ones.
void hide_page(vm_t &, const Page &, void *) {}

Status<HostError> call_monitor(vm_t &, seL4_CPtr, std::span<u64, 8>) {
    return Err{HostError{HostErrorKind::not_available}};
}

Status<HostError> install_service(vm_t &, seL4_CPtr, seL4_Word, seL4_Word) {
    return Err{HostError{HostErrorKind::not_available}};
}

LibraryScope::LibraryScope(vm_t &) { Program::current().claim().take_back(); }

void report(vm_t *vm, LogLevel level, std::string_view text) {
    Program::current().log().line(level, vm != nullptr && vm->vm_name != nullptr ? vm->vm_name : "host", text);
}

} // namespace sel4vm::platsupport
