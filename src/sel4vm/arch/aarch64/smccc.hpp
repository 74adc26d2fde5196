// SPDX-License-Identifier: BSD-2-Clause
//
// SMC Calling Convention 1.5 (Arm DEN 0028): how a function identifier is built, the architecture calls, and the TRNG
// interface (Arm DEN 0098), paravirtualized time (Arm DEN 0057A). Numbers only; PSCI's are in psci.hpp.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

enum class SmcccOwner : u8 {
    arch = 0,
    cpu = 1,
    sip = 2,
    oem = 3,
    standard_secure = 4, ///< PSCI, TRNG
    standard_hypervisor = 5,
    vendor_hypervisor = 6,
    trusted_app_first = 48,
    trusted_app_last = 49,
    trusted_os_first = 50,
    trusted_os_last = 63,
};

struct SmcccFunction : RegValue<SmcccFunction, u32> {
    using RegValue::RegValue;
    using Fast = Field<31>;
    using Is64 = Field<30>;
    using Owner = Field<29, 24, SmcccOwner>;
    using SveHint = Field<16>; ///< a fast call without live SVE state; masked off before the function is looked up
    using Number = Field<15, 0, u16>;
    static_assert(disjoint<Fast, Is64, Owner, SveHint, Number>());

    [[nodiscard]] static constexpr u32 fast32(SmcccOwner owner, u16 number) {
        return SmcccFunction{}.with<Fast>(true).with<Owner>(owner).with<Number>(number).raw();
    }
    [[nodiscard]] static constexpr u32 fast64(SmcccOwner owner, u16 number) {
        return SmcccFunction{fast32(owner, number)}.with<Is64>(true).raw();
    }
};

/// First and last function identifier of an owner's fast calls in one width, hint bit clear; for tables of ranges.
[[nodiscard]] constexpr u32 smccc_first32(SmcccOwner owner) { return SmcccFunction::fast32(owner, 0); }
[[nodiscard]] constexpr u32 smccc_last32(SmcccOwner owner) { return SmcccFunction::fast32(owner, 0xffff); }

namespace smccc {

inline constexpr u32 kVersion = 0x8000'0000;
inline constexpr u32 kArchFeatures = 0x8000'0001;
inline constexpr u32 kArchSocId = 0x8000'0002;
inline constexpr u32 kArchSocId64 = 0xc000'0002;
inline constexpr u32 kArchWorkaround1 = 0x8000'8000;
inline constexpr u32 kArchWorkaround2 = 0x8000'7fff;
inline constexpr u32 kArchWorkaround3 = 0x8000'3fff;

inline constexpr u32 kVersion1_1 = 0x1'0001;
inline constexpr u32 kVersion1_2 = 0x1'0002;

// Results, in w0 or x0.
inline constexpr i64 kSuccess = 0;
inline constexpr i64 kNotSupported = -1;
inline constexpr i64 kNotRequired = -2;
inline constexpr i64 kInvalidParameter = -3;

// General service queries of an owner's range.
inline constexpr u16 kNumberCallCount = 0xff00;
inline constexpr u16 kNumberCallUid = 0xff01;
inline constexpr u16 kNumberRevision = 0xff03;

} // namespace smccc

namespace pv_time { // Arm DEN 0057A

inline constexpr u32 kFeatures = 0xc500'0020;
inline constexpr u32 kStolenTime = 0xc500'0021;

} // namespace pv_time

namespace trng {

inline constexpr u32 kVersion = 0x8400'0050;
inline constexpr u32 kFeatures = 0x8400'0051;
inline constexpr u32 kGetUuid = 0x8400'0052;
inline constexpr u32 kRnd32 = 0x8400'0053;
inline constexpr u32 kRnd64 = 0xc400'0053;

inline constexpr u32 kVersion1_0 = 0x1'0000;
inline constexpr u32 kMaxBits32 = 96;
inline constexpr u32 kMaxBits64 = 192;

inline constexpr i64 kSuccess = 0;
inline constexpr i64 kNotSupported = -1;
inline constexpr i64 kInvalidParameters = -2;
inline constexpr i64 kNoEntropy = -3;

} // namespace trng

static_assert(SmcccFunction::fast64(SmcccOwner::standard_hypervisor, 0x20) == pv_time::kFeatures);
static_assert(SmcccFunction::fast32(SmcccOwner::standard_secure, 0x50) == trng::kVersion);
static_assert(SmcccFunction::fast64(SmcccOwner::standard_secure, 0x53) == trng::kRnd64);

} // namespace sel4vm::aarch64
