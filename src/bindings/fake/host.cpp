// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/fake/host.hpp>

#include <sel4vm/base/assert.hpp>

#include <memory>

namespace sel4vm::fake {

volatile u8 *Host::add_device(u64 phys, usize pages) {
    volatile u8 *registers = nullptr;
    for (usize i = 0; i < pages; ++i) {
        process::Object *page = make(seL4_ARM_SmallPageObject, seL4_PageBits);
        SEL4VM_ASSERT(page != nullptr);
        devices_[phys + i * kPageBytes] = process::handle_of(page);
        note_gone(); // nobody has to give it back
        registers = i == 0 ? page->window : registers;
    }
    return registers;
}

seL4_CPtr Host::device_frame(u64 phys) const {
    const auto found = devices_.find(phys);
    return found == devices_.end() ? seL4_CapNull : found->second;
}

} // namespace sel4vm::fake

using namespace sel4vm;

void vm_host_close(vm_host_t *host) {
    if (host == nullptr)
        return;
    const std::unique_ptr<fake::Host> owned(&fake::Host::of(*host));
    *host = {};
}

void vm_host_log(const char *line) {
    if (line != nullptr)
        fake::program_log().line(LogLevel::info, "client", line);
}

void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size) {
    if (host == nullptr || bytes == nullptr)
        return;
    fake::Host::put({static_cast<const char *>(bytes), size});
}

size_t vm_host_console_get(vm_host_t *host, void *bytes, size_t size) {
    if (host == nullptr || bytes == nullptr)
        return 0;
    return fake::Host::read({static_cast<char *>(bytes), size});
}

int vm_host_console_listen(vm_host_t *host, seL4_Word badge) {
    return host != nullptr && badge != 0 && fake::Host::of(*host).listen(badge) ? 0 : -1;
}

// The host has a clock of its own.
int vm_host_timeout_source(vm_host_t *, seL4_Word, vm_timeout_source_t *) { return -1; }

int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size) {
    if (host == nullptr || name == nullptr || bytes == nullptr || size == nullptr)
        return -1;
    const std::string *file = fake::Host::of(*host).file(name);
    if (file == nullptr)
        return -1;
    *bytes = file->data();
    *size = file->size();
    return 0;
}
