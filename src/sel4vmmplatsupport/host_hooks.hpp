// SPDX-License-Identifier: BSD-2-Clause
//
// What this library needs from a host beyond the C interface: files known by name, single pages, and the host's view of
// a page. Each host implements these functions in bindings/<host> and is chosen by linking. Called while a VM is built, from the
// thread that builds it.
#pragma once

#include <sel4vm/host/host_error.hpp>
#include <sel4vm/host/services.hpp>

#include <sel4vm/guest_vm.h>

#include <span>
#include <string_view>

namespace sel4vm::platsupport {

/// An opened file.
class ImageSource {
public:
    [[nodiscard]] virtual u64 size_bytes() = 0;
    /// Fills all of `out` from `offset`; false when the file ends before that or cannot be read. Reading forwards is cheap,
    /// anything else may not be.
    [[nodiscard]] virtual bool read(u64 offset, std::span<u8> out) = 0;

protected:
    ~ImageSource() = default;
};

/// invalid: there is no file of that name.
[[nodiscard]] Result<ImageSource *, HostError> open_image(vm_t &vm, const char *name);
void close_image(vm_t &vm, ImageSource &image);

/// One page of 4 KiB.
struct Page {
    seL4_CPtr frame = seL4_CapNull; ///< what vm_frame_t::cptr takes
    vka_object_t object{};          ///< the host's record, for free_page()
};

/// A fresh, cleared page of RAM.
[[nodiscard]] Result<Page, HostError> allocate_page(vm_t &vm);
/// The page at a physical address: a device's, or RAM that nobody has. invalid: there is none, or it is taken.
[[nodiscard]] Result<Page, HostError> page_at(vm_t &vm, u64 phys);
/// Whether page_at() would be a device's.
[[nodiscard]] bool is_device_page(vm_t &vm, u64 phys);
/// Another handle of the same page, with free_page() of its own: a mapping takes one for itself.
[[nodiscard]] Result<Page, HostError> duplicate_page(vm_t &vm, const Page &page);
void free_page(vm_t &vm, const Page &page);

/// Where the VMM sees the page from now on.
[[nodiscard]] Result<void *, HostError> show_page(vm_t &vm, const Page &page);
/// Undoes show_page().
void hide_page(vm_t &vm, const Page &page, void *at);

/// Calls an SMC capability with x0 to x7, which then hold the results. not_available beside seL4.
[[nodiscard]] Status<HostError> call_monitor(vm_t &vm, seL4_CPtr cap, std::span<u64, 8> registers);
/// Copies a capability with this badge into the guest's own space. not_available beside seL4.
[[nodiscard]] Status<HostError> install_service(vm_t &vm, seL4_CPtr cap, seL4_Word slot, seL4_Word badge);

/// While one lives, code of other libraries may run, libfdt first of all: on el2 it uses registers that may be a guest's.
class LibraryScope {
public:
    explicit LibraryScope(vm_t &vm);
    LibraryScope(const LibraryScope &) = delete;
    LibraryScope &operator=(const LibraryScope &) = delete;
};

/// One line in the host's log. `vm`: nullptr where the call was not about one; nothing is said then on hosts that cannot know where to.
void report(vm_t *vm, LogLevel level, std::string_view text);

} // namespace sel4vm::platsupport
