// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/el1_state.hpp>

#include <hosts/el2/lib/sysreg.hpp>

#include <utility>

namespace sel4vm::el2 {

namespace {

constexpr u32 host_id(usize index) { return kRegisters[index].host_id(); }

constexpr std::make_index_sequence<kSwitchedCount> kAll{};
constexpr std::make_index_sequence<kAlwaysSwitchedCount> kAlways{};

/// Calls f.operator()<index>() for each of the registers that only some CPUs have.
template <class F>
void each_extra(SwitchedExtras extras, const F &f) {
    [&]<usize... I>(std::index_sequence<I...>) {
        ((extras.has(kAlwaysSwitchedCount + I) ? f.template operator()<kAlwaysSwitchedCount + I>() : void()), ...);
    }
    (std::make_index_sequence<kSwitchedCount - kAlwaysSwitchedCount>{});
}

} // namespace

void El1State::reset(u64 sctlr_el1) {
    values_.fill(0);
    set(el1_register(aarch64::sysreg::kSctlrEl1), sctlr_el1);
}

void El1State::save(SwitchedExtras extras) {
    [&]<usize... I>(std::index_sequence<I...>) { ((values_[I] = read_sysreg<host_id(I)>()), ...); }
    (kAlways);
    if (extras.any())
        each_extra(extras, [&]<usize I>() { values_[I] = read_sysreg<host_id(I)>(); });
}

void El1State::load(SwitchedExtras extras) const {
    [&]<usize... I>(std::index_sequence<I...>) { (write_sysreg<host_id(I)>(values_[I]), ...); }
    (kAlways);
    if (extras.any())
        each_extra(extras, [&]<usize I>() { write_sysreg<host_id(I)>(values_[I]); });
}

std::optional<El1Register> el1_register_of(u32 sysreg_id, SwitchedExtras extras) {
    static constexpr std::array kIds = []<usize... I>(std::index_sequence<I...>) {
        return std::array{static_cast<u16>(kRegisters[I].id())...};
    }
    (kAll);
    for (u8 i = 0; i < kIds.size(); ++i) {
        if (kIds[i] == sysreg_id && (i < kAlwaysSwitchedCount || extras.has(i)))
            return El1Register{i};
    }
    return std::nullopt;
}

u64 read_el1(El1Register which) {
    u64 value = 0;
    [&]<usize... I>(std::index_sequence<I...>) {
        ((which.index == I ? static_cast<void>(value = read_sysreg<host_id(I)>()) : void()), ...);
    }
    (kAll);
    return value;
}

void write_el1(El1Register which, u64 value) {
    [&]<usize... I>(std::index_sequence<I...>) { ((which.index == I ? write_sysreg<host_id(I)>(value) : void()), ...); }
    (kAll);
}

} // namespace sel4vm::el2
