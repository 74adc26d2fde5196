// SPDX-License-Identifier: BSD-2-Clause
//
// A device of one's own with an interrupt, in C++: what ../device-c does, with the same guest. The device knows an interrupt line and nothing
// of GICs; docs/adding-a-device.md shows a larger one, with a table of registers, which also keeps time.
#include <sel4vm/program/host.hpp>

using namespace sel4vm;

extern "C" const u8 guest_begin[];
extern "C" const u8 guest_end[];

namespace {

constexpr u32 kAdderIrq = 40;

class Adder final : public MmioDevice {
public:
    Adder(IrqLine line, Log &log) : line_(line), log_(log) {}

    const char *name() const override { return "adder"; }
    Result<u64, BusFault> read(const Access &access) override {
        if (access.width != Width::b4)
            return Err{BusFault::width};
        return access.offset == kSum ? sum_ : 0;
    }
    Status<BusFault> write(const Access &access, u64 value) override {
        if (access.width != Width::b4)
            return Err{BusFault::width};
        switch (access.offset) {
        case kA: a_ = static_cast<u32>(value); break;
        case kB: // the second number starts it
            sum_ = a_ + static_cast<u32>(value);
            line_.set(Level::high);
            break;
        case kAcknowledge: line_.set(Level::low); break;
        case kReport: {
            Text<64> text;
            text << "the guest reports " << value;
            log_.line(LogLevel::info, "adding", text.view());
            break;
        }
        default: break; // no register: nothing happens
        }
        return Ok{};
    }
    void reset() override {
        a_ = sum_ = 0;
        line_.set(Level::low);
    }

private:
    enum : u64 { kA = 0x00, kB = 0x04, kSum = 0x08, kAcknowledge = 0x0c, kReport = 0x10 };

    IrqLine line_;
    Log &log_;
    u32 a_ = 0;
    u32 sum_ = 0;
};

} // namespace

int main() {
    program::Host host;
    if (!host.open())
        return 2;
    const std::span<const u8> image(guest_begin, guest_end);
    const auto guest = host.make_guest({.name = "adding",
                                        .memory = {{.base = Gpa{0x4000'0000}, .size_bytes = kMiB}},
                                        .gic = {.version = machine::GicVersion::v3},
                                        .images = {{.kind = machine::ImageKind::firmware,
                                                    .size_bytes = image.size(),
                                                    .source = "guest.S"}}},
                                       {.images = {&image, 1}});
    if (!guest) {
        host.log().line(LogLevel::error, "adding", guest.error().message.view());
        return 1;
    }
    Vm &vm = (*guest)->vm();
    Adder adder(IrqLine(*vm.irq_router(), kAdderIrq), host.log());
    const auto range = GpaRange::make(Gpa{0x0a10'0000}, 0x1000);
    if (!range || !vm.attach(*range, adder) || !(*guest)->start())
        return 1;
    host.run();
    return (*guest)->stop_reason() == StopReason::powered_off ? 0 : 1;
}
