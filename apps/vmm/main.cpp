// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/vmm.hpp>

int sel4vm::el2::app_main(Host &host) {
    auto vmm = Owned<vmm::Vmm>::make(host.heap(), host);
    if (!vmm) {
        host.log().line(LogLevel::error, "host", "not enough memory to start");
        return static_cast<int>(vmm::Status::cannot_start);
    }
    return vmm->run();
}
