// SPDX-License-Identifier: BSD-2-Clause
//
// The smoke test of the vCPU half of the el2 host: runs guest.S on a Processor without the core library, and compares
// what the guest tells. The application around it provides memory and output.
#pragma once

#include <hosts/el2/vcpu/processor.hpp>

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/text.hpp>

#include <optional>
#include <string_view>

namespace sel4vm::el2_smoke {

/// Guest RAM at 0x4000'0000 and, on GICv2, the virtual CPU interface at 0x0801'0000.
struct Space {
    el2::Stage2 *stage2;
    volatile u8 *ram;
};

class Output {
public:
    virtual void line(std::string_view text) = 0;

protected:
    ~Output() = default;
};

/// Copies the guest's program to where a space's RAM begins.
void load_guest(volatile u8 *ram);

class Smoke {
public:
    Smoke(el2::Processor &processor, Output &output) : processor_(processor), output_(output) {}
    /// True when everything was as expected. Three spaces: the tested guest's, and those of the guests beside it.
    [[nodiscard]] bool run(const Space (&spaces)[3]);

private:
    [[nodiscard]] Answer on_exit(const Event &event);
    [[nodiscard]] Answer on_memory(const MemoryExit &memory);
    [[nodiscard]] Answer on_call(el2::Vcpu &vcpu, u16 number);
    [[nodiscard]] Answer on_timer(el2::Vcpu &vcpu);
    void on_told(u64 id, u64 value);
    void look_for_the_end();
    void expect(u64 id, u64 value, u64 wanted);
    void check_writes();
    void check_times();
    void fail(std::string_view what, u64 value, u64 wanted);

    struct Write {
        u64 offset;
        u64 data;
        unsigned bytes;
    };
    el2::Processor &processor_;
    Output &output_;
    static constexpr usize kVcpus = 6;
    el2::VmShare shares_[3];
    FixedVector<el2::Vcpu, kVcpus> vcpus_;
    FixedVector<Write, 16> writes_;
    u64 told_[128] = {}; ///< how often
    u64 last_[128] = {}; ///< and what
    u64 since_ = 0;
    u64 others_since_ = 0;
    bool others_started_ = false;
    bool finished_ = false; ///< the tested vCPU is
    bool done_ = false;
    bool ok_ = true;
};

} // namespace sel4vm::el2_smoke
