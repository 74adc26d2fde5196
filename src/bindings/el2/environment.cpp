// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/host.h on this host, and the one system call that its programs have.
#include <bindings/el2/objects.hpp>
#include <bindings/el2/program.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/capi/binding.hpp>
#include <sel4vm/host.h>

using namespace sel4vm;
using namespace sel4vm::el2;

namespace {

/// One CPU runs all vCPUs.
int core_count(void *) { return 1; }

void *map_device(void *data, uintptr_t paddr, size_t size, int, ps_mem_flags_t) {
    Program &program = *static_cast<Program *>(data);
    const u64 first = align_down(paddr, kPageBytes);
    const auto last = checked_add(paddr, size);
    const auto end = last ? align_up(*last, kPageBytes) : std::nullopt;
    const auto range = end ? HostPhysRange::make(HostPhys{first}, *end - first) : std::nullopt;
    // Memory of the machine is mapped already, and stays as it is.
    if (!range || !program.host().map().map(*range, HostMemory::device))
        return nullptr;
    // SAFETY: mapped just now, at its own address.
    return reinterpret_cast<void *>(paddr);
}

/// Devices stay mapped: the host may use the same ones.
void unmap_device(void *, void *, size_t) {}

Notification *notification_of(seL4_CPtr signal) { return object_of<Notification>(HandleKind::notification, signal); }

} // namespace

extern "C" {

int vm_host_open(vm_host_t *host) {
    if (host == nullptr)
        return -1;
    Program &program = Program::current();
    *host = {};
    host->vka = make_vka(program);
    host->simple = {&program, core_count};
    host->vspace = {&program};
    host->io_ops.io_mapper = {&program, map_device, unmap_device};
    host->impl = &program;
    vka_object_t endpoint;
    if (vka_alloc_endpoint(&host->vka, &endpoint) != 0) {
        program.log().line(LogLevel::error, "host", "not enough memory for an endpoint");
        return -1;
    }
    host->endpoint = endpoint.cptr;
    return 0;
}

void vm_host_close(vm_host_t *host) {
    if (host == nullptr || host->impl == nullptr)
        return;
    if (Program::current().console_listener() == object_of<Endpoint>(HandleKind::endpoint, host->endpoint))
        Program::current().set_console_listener(nullptr, 0);
    vka_object_t endpoint{};
    endpoint.cptr = host->endpoint;
    vka_free_object(&host->vka, &endpoint);
    *host = {};
}

int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal) {
    if (host == nullptr || signal == nullptr || badge == 0)
        return -1;
    auto *endpoint = object_of<Endpoint>(HandleKind::endpoint, host->endpoint);
    vka_object_t object;
    if (endpoint == nullptr || vka_alloc_notification(&host->vka, &object) != 0)
        return -1;
    *notification_of(object.cptr) = {endpoint, badge};
    endpoint->add_signal_source();
    *signal = object.cptr;
    return 0;
}

void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal) {
    Notification *notification = host == nullptr ? nullptr : notification_of(signal);
    if (notification == nullptr)
        return;
    if (notification->endpoint != nullptr)
        notification->endpoint->remove_signal_source();
    vka_object_t object{};
    object.cptr = signal;
    vka_free_object(&host->vka, &object);
}

void vm_host_log(const char *line) {
    if (line != nullptr)
        Program::current().log().line(LogLevel::info, "program", line);
}

void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size) {
    if (host != nullptr && bytes != nullptr)
        Program::current().put({static_cast<const u8 *>(bytes), size});
}

size_t vm_host_console_get(vm_host_t *host, void *bytes, size_t size) {
    if (host == nullptr || bytes == nullptr)
        return 0;
    return Program::current().host().console().read({static_cast<u8 *>(bytes), size});
}

int vm_host_console_listen(vm_host_t *host, seL4_Word badge) {
    auto *endpoint = host == nullptr ? nullptr : object_of<Endpoint>(HandleKind::endpoint, host->endpoint);
    return endpoint != nullptr && badge != 0 && Program::current().listen(*endpoint, badge) ? 0 : -1;
}

// The host has timers of its own.
int vm_host_timeout_source(vm_host_t *, seL4_Word, vm_timeout_source_t *) { return -1; }

int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size) {
    if (host == nullptr || name == nullptr || bytes == nullptr || size == nullptr)
        return -1;
    const auto file = Program::current().image(name);
    if (!file)
        return -1;
    *bytes = file->data();
    *size = file->size();
    return 0;
}

void seL4_Signal(seL4_CPtr dest) {
    if (Notification *notification = notification_of(dest);
        notification != nullptr && notification->endpoint != nullptr)
        notification->endpoint->signal(notification->badge);
}

} // extern "C"

sel4vm::Log &sel4vm::capi::host_log() { return Program::current().log(); }

// For tests: memory in use, without what the heap keeps for later.
extern "C" size_t sel4vm_el2_live_bytes(void);
size_t sel4vm_el2_live_bytes() {
    Host &host = Program::current().host();
    return host.pages().used_bytes() - host.heap().idle_bytes();
}
