// SPDX-License-Identifier: BSD-2-Clause
//
// The loop in which every exit is served. Apart from its class, because it is made fast and the rest of the program small.
#include <apps/vmm/cpus.hpp>

#include <hosts/el2/vcpu/exit_path.hpp>
#include <sel4vm/vm/executor_loop.hpp>

namespace sel4vm::vmm {

void Cpus::run(Cpu &cpu) {
    if (cpu.counting || cpu.trace)
        cpu.executor->run();
    else
        cpu.executor->run_on(*cpu.processor);
}

} // namespace sel4vm::vmm
