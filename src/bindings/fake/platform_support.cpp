// SPDX-License-Identifier: BSD-2-Clause
//
// What the platform support library needs, on the fake host: the host's files, else files of this machine, and pages that are
// the host's frames. Opening, pages and views count as requests that can be refused.
#include <bindings/fake/host.hpp>

#include <sel4vmmplatsupport/host_hooks.hpp>

#include <cstring>
#include <memory>

namespace sel4vm::platsupport {

namespace {

fake::Host &host_of(const vm_t &vm) { return fake::Host::of(*vm.vka); }

Err<HostError> fail(HostErrorKind kind) { return Err{HostError{kind}}; }

class StringSource final : public ImageSource {
public:
    explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] u64 size_bytes() override { return bytes_.size(); }
    [[nodiscard]] bool read(u64 offset, std::span<u8> out) override {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
            return false;
        if (!out.empty())
            std::memcpy(out.data(), bytes_.data() + offset, out.size());
        return true;
    }

private:
    std::string bytes_;
};

} // namespace

Result<ImageSource *, HostError> open_image(vm_t &vm, const char *name) {
    fake::Host &host = host_of(vm);
    if (host.refuses())
        return fail(HostErrorKind::out_of_memory);
    const auto found = host.find_file(name);
    if (found) {
        host.note_made();
        return static_cast<ImageSource *>(new StringSource(**found));
    }
    auto bytes = fake::Process::read_file(name);
    if (!bytes) {
        host.say_missing(name, found.error());
        return fail(HostErrorKind::invalid);
    }
    host.note_made();
    return static_cast<ImageSource *>(new StringSource(*std::move(bytes)));
}

void close_image(vm_t &vm, ImageSource &image) {
    host_of(vm).note_gone();
    const std::unique_ptr<StringSource> owned(static_cast<StringSource *>(&image));
}

Result<Page, HostError> allocate_page(vm_t &vm) {
    Page page;
    if (vka_alloc_frame(vm.vka, seL4_PageBits, &page.object) != 0)
        return fail(HostErrorKind::out_of_memory);
    page.frame = page.object.cptr;
    return page;
}

Result<Page, HostError> page_at(vm_t &vm, u64 phys) {
    const seL4_CPtr frame = host_of(vm).device_frame(phys);
    if (frame == seL4_CapNull || host_of(vm).refuses())
        return fail(HostErrorKind::invalid);
    host_of(vm).note_made();
    return Page{frame, {}};
}

bool is_device_page(vm_t &vm, u64 phys) { return host_of(vm).device_frame(phys) != seL4_CapNull; }

Result<Page, HostError> duplicate_page(vm_t &vm, const Page &page) {
    if (host_of(vm).refuses())
        return fail(HostErrorKind::out_of_memory);
    host_of(vm).note_made();
    return Page{page.frame, {}};
}

void free_page(vm_t &vm, const Page &page) {
    if (page.object.cptr == seL4_CapNull)
        return host_of(vm).note_gone();
    vka_object_t object = page.object;
    vka_free_object(vm.vka, &object);
}

Result<void *, HostError> show_page(vm_t &vm, const Page &page) {
    process::Object *frame = host_of(vm).find_frame(page.frame);
    if (frame == nullptr || host_of(vm).refuses())
        return fail(HostErrorKind::out_of_memory);
    host_of(vm).note_made();
    return static_cast<void *>(frame->window);
}

void hide_page(vm_t &vm, const Page &, void *) { host_of(vm).note_gone(); }

Status<HostError> call_monitor(vm_t &, seL4_CPtr, std::span<u64, 8>) { return fail(HostErrorKind::not_available); }

Status<HostError> install_service(vm_t &, seL4_CPtr, seL4_Word, seL4_Word) {
    return fail(HostErrorKind::not_available);
}

LibraryScope::LibraryScope(vm_t &) {}

void report(vm_t *vm, LogLevel level, std::string_view text) {
    fake::program_log().line(level, vm != nullptr && vm->vm_name != nullptr ? vm->vm_name : "host", text);
}

} // namespace sel4vm::platsupport
