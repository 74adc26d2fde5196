// SPDX-License-Identifier: BSD-2-Clause
//
// The smoke test as a program on the el2 host: three guest spaces, one page of devices left unmapped, and the test.
#include <hosts/el2/selftest/vcpu/smoke.hpp>

#include <hosts/el2/host.hpp>

#include <sel4vm/base/range.hpp>

namespace sel4vm::el2 {

namespace {

constexpr u64 kRamBytes = 2 * kMiB;
constexpr Gpa kRam{0x4000'0000};
constexpr Gpa kGicc{0x0801'0000};

class Lines final : public el2_smoke::Output {
public:
    explicit Lines(Host &host) : host_(host) {}
    void line(std::string_view text) override {
        host_.console().print(text);
        host_.console().print("\n");
    }

private:
    Host &host_;
};

[[nodiscard]] Status<HostError> fill(Host &host, GuestSpace &space, el2_smoke::Space &out) {
    const RamBlock ram = SEL4VM_TRY(space.allocate_ram(kRamBytes, kRamBytes, Clearing::cleared));
    (void)SEL4VM_TRY(space.map_ram(*GpaRange::make(kRam, kRamBytes), ram, 0, Protection::read_write_execute));
    if (const auto &gicv = host.platform().gic.virtual_interface)
        (void)SEL4VM_TRY(space.map_device(*GpaRange::make(kGicc, 2 * kPageBytes), gicv->base()));
    el2_smoke::load_guest(ram.window);
    space.clean_to_guest(ram, 0, kRamBytes);
    out = {&space, ram.window};
    return Ok{};
}

} // namespace

int app_main(Host &host) {
    Lines lines(host);
    Owned<GuestSpace> spaces[3];
    el2_smoke::Space views[3];
    for (usize i = 0; i < 3; ++i) {
        auto made = host.make_guest_space();
        SEL4VM_ASSERT(made.has_value());
        spaces[i] = *std::move(made);
        SEL4VM_ASSERT(fill(host, *spaces[i], views[i]).has_value());
    }
    ProcessorSetup setup;
    setup.timer = host.platform().timer;
    if (host.platform().gic.maintenance)
        setup.maintenance = *host.platform().gic.maintenance;
    if (host.platform().gic.hypervisor)
        setup.gich = Mmio{host.platform().gic.hypervisor->base()};
    auto processor = Owned<Processor>::make(host.heap(), host.gic(), host.interrupts(), setup);
    SEL4VM_ASSERT(static_cast<bool>(processor));
    auto smoke = Owned<el2_smoke::Smoke>::make(host.heap(), *processor, static_cast<el2_smoke::Output &>(lines));
    SEL4VM_ASSERT(static_cast<bool>(smoke));
    const bool ok = smoke->run(views);
    lines.line(ok ? "SMOKE PASS" : "SMOKE FAIL");
    return ok ? 0 : 1;
}

} // namespace sel4vm::el2
