// SPDX-License-Identifier: BSD-2-Clause
//
// Power State Coordination Interface 1.1 (Arm DEN 0022D; later numbers named so that they are recognised): function
// identifiers, results and power_state formats. Numbers only: the service itself is a device.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

namespace psci {

inline constexpr u32 kVersion = 0x8400'0000;
inline constexpr u32 kCpuSuspend32 = 0x8400'0001;
inline constexpr u32 kCpuSuspend64 = 0xc400'0001;
inline constexpr u32 kCpuOff = 0x8400'0002;
inline constexpr u32 kCpuOn32 = 0x8400'0003;
inline constexpr u32 kCpuOn64 = 0xc400'0003;
inline constexpr u32 kAffinityInfo32 = 0x8400'0004;
inline constexpr u32 kAffinityInfo64 = 0xc400'0004;
inline constexpr u32 kMigrate32 = 0x8400'0005;
inline constexpr u32 kMigrate64 = 0xc400'0005;
inline constexpr u32 kMigrateInfoType = 0x8400'0006;
inline constexpr u32 kMigrateInfoUpCpu32 = 0x8400'0007;
inline constexpr u32 kMigrateInfoUpCpu64 = 0xc400'0007;
inline constexpr u32 kSystemOff = 0x8400'0008;
inline constexpr u32 kSystemReset = 0x8400'0009;
inline constexpr u32 kFeatures = 0x8400'000a;
inline constexpr u32 kCpuFreeze = 0x8400'000b;
inline constexpr u32 kCpuDefaultSuspend32 = 0x8400'000c;
inline constexpr u32 kCpuDefaultSuspend64 = 0xc400'000c;
inline constexpr u32 kNodeHwState32 = 0x8400'000d;
inline constexpr u32 kNodeHwState64 = 0xc400'000d;
inline constexpr u32 kSystemSuspend32 = 0x8400'000e;
inline constexpr u32 kSystemSuspend64 = 0xc400'000e;
inline constexpr u32 kSetSuspendMode = 0x8400'000f;
inline constexpr u32 kStatResidency32 = 0x8400'0010;
inline constexpr u32 kStatResidency64 = 0xc400'0010;
inline constexpr u32 kStatCount32 = 0x8400'0011;
inline constexpr u32 kStatCount64 = 0xc400'0011;
inline constexpr u32 kSystemReset2_32 = 0x8400'0012;
inline constexpr u32 kSystemReset2_64 = 0xc400'0012;
inline constexpr u32 kMemProtect = 0x8400'0013;
inline constexpr u32 kMemProtectCheckRange32 = 0x8400'0014;
inline constexpr u32 kMemProtectCheckRange64 = 0xc400'0014;
/// All of PSCI's numbers in one width, for tables of ranges.
inline constexpr u32 kFirst32 = 0x8400'0000;
inline constexpr u32 kLast32 = 0x8400'001f;
inline constexpr u32 kFirst64 = 0xc400'0000;
inline constexpr u32 kLast64 = 0xc400'001f;

inline constexpr u32 kVersion1_0 = 0x1'0000;
inline constexpr u32 kVersion1_1 = 0x1'0001;

// Results.
inline constexpr i32 kSuccess = 0;
inline constexpr i32 kNotSupported = -1;
inline constexpr i32 kInvalidParameters = -2;
inline constexpr i32 kDenied = -3;
inline constexpr i32 kAlreadyOn = -4;
inline constexpr i32 kOnPending = -5;
inline constexpr i32 kInternalFailure = -6;
inline constexpr i32 kNotPresent = -7;
inline constexpr i32 kDisabled = -8;
inline constexpr i32 kInvalidAddress = -9;

// AFFINITY_INFO.
inline constexpr i32 kAffinityOn = 0;
inline constexpr i32 kAffinityOff = 1;
inline constexpr i32 kAffinityOnPending = 2;

// MIGRATE_INFO_TYPE.
inline constexpr i32 kMigrateUniprocessorCapable = 0;
inline constexpr i32 kMigrateUniprocessorNotCapable = 1;
inline constexpr i32 kMigrateNotPresent = 2; ///< no Trusted OS that would need migration

// PSCI_FEATURES of CPU_SUSPEND: bit 1 the power_state format, bit 0 OS-initiated mode.
inline constexpr u32 kFeatureExtendedPowerState = 1U << 1;
inline constexpr u32 kFeatureOsInitiated = 1U << 0;

// SYSTEM_RESET2 reset_type: bit 31 set is vendor specific.
inline constexpr u32 kResetWarm = 0;
inline constexpr u32 kResetVendorBit = 1U << 31;

} // namespace psci

enum class PowerStateType : u8 { standby = 0, powerdown = 1 };

/// power_state of CPU_SUSPEND in the original format.
struct PsciPowerState : RegValue<PsciPowerState, u32> {
    using RegValue::RegValue;
    using PowerLevel = Field<25, 24, u8>;
    using StateType = Field<16, 16, PowerStateType>;
    using StateId = Field<15, 0, u16>;
    static_assert(disjoint<PowerLevel, StateType, StateId>());
    /// Bits that must be zero.
    static constexpr u32 kReserved = ~(PowerLevel::mask | StateType::mask | StateId::mask);
};

/// power_state of CPU_SUSPEND in the extended format, where PSCI_FEATURES announces it.
struct PsciExtendedPowerState : RegValue<PsciExtendedPowerState, u32> {
    using RegValue::RegValue;
    using StateType = Field<30, 30, PowerStateType>;
    using StateId = Field<27, 0, u32>;
    static_assert(disjoint<StateType, StateId>());
    static constexpr u32 kReserved = ~(StateType::mask | StateId::mask);
};

} // namespace sel4vm::aarch64
