// SPDX-License-Identifier: BSD-2-Clause
//
// A program of somebody else: a VM on the fake host, whose guest writes one character to a device and stops.
#include <hosts/fake/event_port.hpp>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <hosts/fake/services.hpp>
#include <hosts/fake/vcpu.hpp>
#include <sel4vm/vm/executor.hpp>

#include <cstdio>

using namespace sel4vm;

namespace {

class Printer final : public MmioDevice {
public:
    const char *name() const override { return "printer"; }
    Result<u64, BusFault> read(const Access &) override { return u64{0}; }
    Status<BusFault> write(const Access &, u64 value) override {
        last = static_cast<char>(value);
        return Ok{};
    }
    void reset() override { last = 0; }
    char last = 0;
};

} // namespace

int main() {
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    fake::Log log;
    fake::Vcpu port;
    Vm vm(VmConfig{"guest", VmId{0}, LockMode::none, ResetPolicy::restart}, space, allocator, log);
    const auto ram = GpaRange::make(Gpa{0x4000'0000}, 2 * kMiB);
    const auto registers = GpaRange::make(Gpa{0x0900'0000}, kPageBytes);
    Printer printer;
    auto vcpu = vm.add_vcpu(port);
    if (!ram || !registers || !vcpu || !vm.add_memory(*ram, RegionKind::ram) || !vm.attach(*registers, printer)) {
        std::puts("the VM could not be built");
        return 1;
    }
    const Answer answer =
        vm.handle(**vcpu, Exit{MemoryExit{Gpa{0x0900'0000}, '!', MemoryAccess::write, Width::b1, true}});
    std::printf("%s guest-write=%c\n", answer.kind() == AnswerKind::complete ? "ok" : "refused", printer.last);
    return answer.kind() == AnswerKind::complete && printer.last == '!' ? 0 : 1;
}
