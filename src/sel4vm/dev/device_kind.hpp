// SPDX-License-Identifier: BSD-2-Clause
//
// A kind of device that a machine's description can ask for: all that a machine, the writer of its device tree and the reader of system
// files know of it, in one record, so that none of them names a device. Each device's folder has its record; the table of those that a
// machine offers is in machine/<arch>. Deliberately not here: where a device is and which interrupt it has, which each VM says.
//
// Threads: records never change; make() while the VM is built.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/dev/net_options.hpp>
#include <sel4vm/dev/pci/pci_bus.hpp>
#include <sel4vm/host/block_device.hpp>
#include <sel4vm/host/dma_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/device_work.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/power_button.hpp>
#include <sel4vm/vm/serial_port.hpp>
#include <sel4vm/vm/timeout.hpp>

#include <concepts>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace sel4vm::boot {
class FdtWriter;
}

namespace sel4vm::dev {

class PciFunction;

/// A device of any type, owned, and what else than registers it shows to its machine.
class OwnedDevice {
public:
    OwnedDevice() = default;
    /// Empty when the allocator, which outlives it, has no memory.
    template <class T, class... Args>
    [[nodiscard]] static OwnedDevice make(Allocator &allocator, Args &&...args) {
        OwnedDevice made;
        void *const block = allocator.allocate(sizeof(T), alignof(T));
        if (block == nullptr)
            return made;
        T *const object = ::new (block) T(std::forward<Args>(args)...);
        made.allocator_ = &allocator;
        made.registers_ = object;
        made.destroy_ = [](Allocator &from, MmioDevice &device) {
            T *const whole = &static_cast<T &>(device);
            std::destroy_at(whole);
            from.deallocate(whole, sizeof(T), alignof(T));
        };
        if constexpr (std::derived_from<T, SerialPort>)
            made.serial_ = object;
        if constexpr (std::derived_from<T, PowerButton>)
            made.power_button_ = object;
        return made;
    }
    OwnedDevice(OwnedDevice &&other) noexcept { *this = std::move(other); }
    OwnedDevice &operator=(OwnedDevice &&other) noexcept {
        std::swap(allocator_, other.allocator_);
        std::swap(registers_, other.registers_);
        std::swap(serial_, other.serial_);
        std::swap(power_button_, other.power_button_);
        std::swap(destroy_, other.destroy_);
        return *this;
    }
    ~OwnedDevice() {
        if (registers_ != nullptr)
            destroy_(*allocator_, *registers_);
    }

    explicit operator bool() const { return registers_ != nullptr; }
    [[nodiscard]] MmioDevice &registers() const { return *registers_; }
    /// nullptr: it is no serial device.
    [[nodiscard]] SerialPort *serial() const { return serial_; }
    /// nullptr: it has none.
    [[nodiscard]] PowerButton *power_button() const { return power_button_; }

private:
    Allocator *allocator_ = nullptr;
    MmioDevice *registers_ = nullptr;
    SerialPort *serial_ = nullptr;
    PowerButton *power_button_ = nullptr;
    void (*destroy_)(Allocator &from, MmioDevice &device) = nullptr;
};

/// What a machine has for a device that it makes; all of it outlives the device.
struct DeviceSite {
    Allocator &allocator;
    IrqLine line;
    Clock &clock;
    TimeoutQueue &timeouts;
    ByteSink &output; ///< of a serial device
    DmaPort &dma;
    WorkTurns &work;
    Entropy &entropy;
    LockMode locks = LockMode::none;
    std::string_view name{};             ///< in its VM
    std::span<const u8> disk{};          ///< of a disk: what it holds
    std::span<u8> writable_disk{};       ///< the same, where it may be written; else empty
    BlockDevice *machine_disk = nullptr; ///< instead of both: a disk of the machine
    NetOptions net{};                    ///< of a network device
};

/// A literal with zero bytes in it, whole.
template <usize N>
[[nodiscard]] consteval std::string_view text_list(const char (&literal)[N]) {
    return {literal, N - 1};
}

enum class DeviceRole : u8 {
    plain,
    serial,  ///< may be a guest's console; `output` and SerialPort are connected
    disk,    ///< it has an image, or is one of the machine's
    network, ///< it is at a switch
};

/// What a device tree says of a device beside its registers and its interrupt. Lists: text_list().
struct DeviceNode {
    std::string_view name; ///< before the '@'
    std::string_view compatible;
    /// Names of the clocks that it has, all of which are the board's one; may be empty.
    std::string_view clock_names{};
    /// Adds further properties; nullptr: there are none. `phandle` is a number of its own for a reference to the device's node.
    void (*add_properties)(boot::FdtWriter &out, u32 phandle) = nullptr;
    /// Adds nodes beside the device's, below the root; nullptr: there are none.
    void (*add_nodes)(boot::FdtWriter &out, u32 phandle) = nullptr;
};

/// A PCI function of any type, owned.
class OwnedFunction {
public:
    OwnedFunction() = default;
    /// Empty when the allocator, which outlives it, has no memory.
    template <class T, class... Args>
    [[nodiscard]] static OwnedFunction make(Allocator &allocator, Args &&...args) {
        OwnedFunction made;
        void *const block = allocator.allocate(sizeof(T), alignof(T));
        if (block == nullptr)
            return made;
        made.function_ = ::new (block) T(std::forward<Args>(args)...);
        made.allocator_ = &allocator;
        made.destroy_ = [](Allocator &from, PciFunction &function) {
            T *const whole = &static_cast<T &>(function);
            std::destroy_at(whole);
            from.deallocate(whole, sizeof(T), alignof(T));
        };
        return made;
    }
    OwnedFunction(OwnedFunction &&other) noexcept { *this = std::move(other); }
    OwnedFunction &operator=(OwnedFunction &&other) noexcept {
        std::swap(allocator_, other.allocator_);
        std::swap(function_, other.function_);
        std::swap(destroy_, other.destroy_);
        return *this;
    }
    ~OwnedFunction() {
        if (function_ != nullptr)
            destroy_(*allocator_, *function_);
    }
    [[nodiscard]] PciFunction *get() const { return function_; }

private:
    Allocator *allocator_ = nullptr;
    PciFunction *function_ = nullptr;
    void (*destroy_)(Allocator &from, PciFunction &function) = nullptr;
};

struct DeviceKind {
    /// In system files, manifests and messages.
    std::string_view type;
    DeviceRole role = DeviceRole::plain;
    DeviceNode node;
    /// Bytes of its registers, which begin at a multiple of them.
    u64 range_bytes = 4 * kKiB;
    /// nullptr: somebody else emulates it, and only its node is wanted.
    OwnedDevice (*make)(const DeviceSite &site) = nullptr;
    /// The same as a PCI function, for which `site.line` means nothing; nullptr: it is none.
    OwnedFunction (*make_function)(const DeviceSite &site, PciPlace place) = nullptr;
};

/// Of devices that nobody is going to make: for readers of a description that look at other parts of it.
inline constexpr DeviceKind kUnmadeKind{};

/// A table of kinds.
using DeviceKinds = std::span<const DeviceKind *const>;
/// nullptr: `kinds` has none of this type.
[[nodiscard]] constexpr const DeviceKind *find_kind(DeviceKinds kinds, std::string_view type) {
    for (const DeviceKind *kind : kinds)
        if (kind->type == type)
            return kind;
    return nullptr;
}

} // namespace sel4vm::dev
