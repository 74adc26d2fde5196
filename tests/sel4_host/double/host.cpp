// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/host.h on the double, made as a root task would: one notification is bound, each signal is a badged copy of it.
#include <sel4_host/double/host.hpp>

#include <cstdio>
#include <memory>

using namespace sel4vm;
using namespace sel4vm::sel4_double;

namespace {

struct Opened {
    Environment environment;
    vka_object_t endpoint{};
    vka_object_t notification{};
    usize owed_at_start = 0;
};

Opened &opened(const vm_host_t *host) { return *static_cast<Opened *>(host->impl); }

} // namespace

Shared &sel4_double::shared() {
    static Shared shared;
    return shared;
}

extern "C" {

int vm_host_open(vm_host_t *host) {
    auto made = std::make_unique<Opened>();
    Environment &environment = made->environment;
    environment.kernel.options = shared().options;
    *host = {};
    host->vka = environment.vka;
    host->simple = {&environment};
    host->vspace = VmmSpace::interface(environment);
    if (vka_alloc_endpoint(&host->vka, &made->endpoint) != 0 ||
        vka_alloc_notification(&host->vka, &made->notification) != 0 ||
        seL4_TCB_BindNotification(environment.tcb, made->notification.cptr) != seL4_NoError)
        return -1;
    host->endpoint = made->endpoint.cptr;
    host->priority = 100;
    made->owed_at_start = environment.live();
    host->impl = made.release();
    return 0;
}

void vm_host_close(vm_host_t *host) {
    const std::unique_ptr<Opened> owned(&opened(host));
    shared().violation = owned->environment.kernel.violation;
    shared().left = owned->environment.live() - owned->owed_at_start;
    *host = {};
}

int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal) {
    cspacepath_t from;
    cspacepath_t to;
    if (badge == 0 || vka_cspace_alloc_path(&host->vka, &to) != 0)
        return -1;
    vka_cspace_make_path(&host->vka, opened(host).notification.cptr, &from);
    if (vka_cnode_mint(&to, &from, seL4_AllRights, badge) != seL4_NoError) {
        vka_cspace_free_path(&host->vka, to);
        return -1;
    }
    *signal = to.capPtr;
    return 0;
}

void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal) {
    cspacepath_t path;
    vka_cspace_make_path(&host->vka, signal, &path);
    static_cast<void>(vka_cnode_delete(&path));
    vka_cspace_free_path(&host->vka, path);
}

void vm_host_log(const char *line) {
    if (line != nullptr)
        std::printf("%s\n", line);
}

void vm_host_console_put(vm_host_t *, const void *bytes, size_t size) {
    shared().console_output.append(static_cast<const char *>(bytes), size);
}

size_t vm_host_console_get(vm_host_t *, void *, size_t) { return 0; }
int vm_host_console_listen(vm_host_t *, seL4_Word) { return -1; }
int vm_host_timeout_source(vm_host_t *, seL4_Word, vm_timeout_source_t *) { return -1; }

int vm_host_file(vm_host_t *, const char *name, const void **bytes, size_t *size) {
    const auto found = shared().files.find(name);
    if (found == shared().files.end())
        return -1;
    *bytes = found->second.data();
    *size = found->second.size();
    return 0;
}

} // extern "C"
