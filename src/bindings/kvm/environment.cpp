// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/kvm/environment.hpp>

#include <fstream>
#include <iterator>
#include <memory>

namespace sel4vm::kvm {

const std::string *Environment::file(const std::string &name) {
    auto found = files_.find(name);
    if (found == files_.end()) {
        std::ifstream in(name, std::ios::binary);
        if (!in)
            return nullptr;
        found = files_.emplace(name, std::string(std::istreambuf_iterator<char>(in), {})).first;
    }
    return &found->second;
}

} // namespace sel4vm::kvm

using namespace sel4vm;

void vm_host_close(vm_host_t *host) {
    if (host == nullptr)
        return;
    const std::unique_ptr<kvm::Environment> owned(&kvm::Environment::of(*host));
    *host = {};
}

void vm_host_log(const char *line) {
    if (line != nullptr)
        kvm::Log{}.line(LogLevel::info, "client", line);
}

void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size) {
    if (host != nullptr && bytes != nullptr)
        kvm::put_bytes({static_cast<const u8 *>(bytes), size});
}

// Which of several VMs' executors would look at it is not decided yet.
size_t vm_host_console_get(vm_host_t *, void *, size_t) { return 0; }
int vm_host_console_listen(vm_host_t *, seL4_Word) { return -1; }

// The host has a clock of its own.
int vm_host_timeout_source(vm_host_t *, seL4_Word, vm_timeout_source_t *) { return -1; }

int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size) {
    if (host == nullptr || name == nullptr || bytes == nullptr || size == nullptr)
        return -1;
    const std::string *file = kvm::Environment::of(*host).file(name);
    if (file == nullptr)
        return -1;
    *bytes = file->data();
    *size = file->size();
    return 0;
}
