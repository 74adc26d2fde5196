// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_pci.hpp>

#include <algorithm>

namespace sel4vm::dev {

namespace {

constexpr u16 kVirtioVendor = 0x1af4;
constexpr u16 kFirstDevice = 0x1040;
constexpr u8 kModernRevision = 1;

// Of BAR 0, each with a page of its own.
constexpr u8 kBar = 0;
constexpr u8 kMsixBar = 2;
constexpr u64 kPartBytes = 0x1000;
enum class Part : u8 { common, isr, device, notify };
constexpr u64 kBarBytes = 4 * kPartBytes;
constexpr u64 at_of(Part part) { return static_cast<u64>(part) * kPartBytes; }

/// Virtio 1.2, 4.1.4: cfg_type.
enum class CapabilityType : u8 { common = 1, notify = 2, isr = 3, device = 4, pci_cfg = 5 };
constexpr u32 kVirtioCapabilityBytes = 16;
constexpr u32 kCommonBytes = 0x3c;
// Offsets in the capability VIRTIO_PCI_CAP_PCI_CFG.
constexpr u32 kCfgBar = 4;
constexpr u32 kCfgOffset = 8;
constexpr u32 kCfgLength = 12;
constexpr u32 kCfgData = 16;

constexpr u8 kIsrUsedBuffer = 1; ///< ISR
constexpr u8 kIsrConfigChange = 2;

// Virtio 1.2, 4.1.4.3: the common structure.
namespace common {
constexpr u64 kDeviceFeatureSelect = 0x00;
constexpr u64 kDeviceFeature = 0x04;
constexpr u64 kDriverFeatureSelect = 0x08;
constexpr u64 kDriverFeature = 0x0c;
constexpr u64 kConfigVector = 0x10;
constexpr u64 kQueueCount = 0x12;
constexpr u64 kStatus = 0x14;
constexpr u64 kGeneration = 0x15;
constexpr u64 kQueueSelect = 0x16;
constexpr u64 kQueueSize = 0x18;
constexpr u64 kQueueVector = 0x1a;
constexpr u64 kQueueEnable = 0x1c;
constexpr u64 kQueueNotifyOffset = 0x1e;
constexpr u64 kQueueDescriptors = 0x20;
constexpr u64 kQueueDevice = 0x30;
constexpr u64 kQueueReset = 0x3a;

constexpr u32 width_of(u64 offset) {
    if (offset == kStatus || offset == kGeneration)
        return 1;
    return offset < kConfigVector ? 4 : 2;
}
constexpr bool is_address(u64 offset) { return offset >= kQueueDescriptors && offset < kQueueDevice + 8; }
} // namespace common

Status<BusFault> check_common(const Access &access) {
    const u32 bytes = bytes_of(access.width);
    if (access.offset % bytes != 0)
        return Err{BusFault::alignment};
    const bool good = common::is_address(access.offset) ? bytes >= 4 : bytes == common::width_of(access.offset);
    return good ? Status<BusFault>{Ok{}} : Status<BusFault>{Err{BusFault::width}};
}

} // namespace

VirtioPci::VirtioPci(VirtioModel &model, PciPlace place, const VirtioSite &site, const VirtioPciType &type)
    : PciFunction(place,
                  {kVirtioVendor, static_cast<u16>(kFirstDevice + type.device_id), kModernRevision, type.class_code,
                   kVirtioVendor, static_cast<u16>(kFirstDevice + type.device_id)},
                  static_cast<u16>(type.queues + 1)),
      function_(model, *this, site) {
    add_bar(kBar, BarKind::memory64_prefetchable, kBarBytes);
    add_capabilities();
    finish(kMsixBar);
}

void VirtioPci::add_capabilities() {
    const auto add = [this](CapabilityType type, u32 extra_bytes, u64 offset, u32 length) {
        const u32 at = config().add_capability(pci_capability::kVendorSpecific, kVirtioCapabilityBytes + extra_bytes);
        config().define(at + 2, 1, kVirtioCapabilityBytes + extra_bytes);
        config().define(at + 3, 1, static_cast<u32>(type));
        config().define(at + kCfgBar, 1, kBar);
        config().define(at + kCfgOffset, 4, static_cast<u32>(offset));
        config().define(at + kCfgLength, 4, length);
        return at;
    };
    static_cast<void>(add(CapabilityType::common, 0, at_of(Part::common), kCommonBytes));
    static_cast<void>(add(CapabilityType::isr, 0, at_of(Part::isr), 1));
    static_cast<void>(add(CapabilityType::device, 0, at_of(Part::device), static_cast<u32>(kPartBytes)));
    // notify_off_multiplier is 0: all queues have one address, and the value tells them apart.
    static_cast<void>(add(CapabilityType::notify, 4, at_of(Part::notify), 4));
    cfg_at_ = add(CapabilityType::pci_cfg, 4, 0, 0);
    config().define(cfg_at_ + kCfgBar, 1, 0, 0xff);
    config().define(cfg_at_ + kCfgOffset, 4, 0, 0xffff'ffff);
    config().define(cfg_at_ + kCfgLength, 4, 0, 0xffff'ffff);
    config().define(cfg_at_ + kCfgData, 4, 0, 0xffff'ffff);
}

void VirtioPci::reset_own() {
    function_.reset();
    state_ = {};
}

void VirtioPci::restore_transport(const State &state) {
    LockGuard guard(function_.lock());
    state_ = state;
    state_.interrupts &= kIsrUsedBuffer | kIsrConfigChange;
    ask_pin(level_of(state_.interrupts != 0));
}

// ---------------------------------------------------------------- BAR 0

Result<u64, BusFault> VirtioPci::read_own(u8 bar, const Access &access) {
    if (bar != kBar)
        return u64{0};
    const Access inside{access.offset % kPartBytes, access.width, access.vcpu};
    if (inside.offset % bytes_of(access.width) != 0)
        return Err{BusFault::alignment};
    switch (static_cast<Part>(access.offset / kPartBytes)) {
    case Part::common: return read_common(inside);
    case Part::isr: return inside.offset == 0 ? take_isr() : u64{0};
    case Part::device:
        if (access.width == Width::b8)
            return Err{BusFault::width};
        return function_.read_config(inside.offset, bytes_of(access.width));
    case Part::notify: break;
    }
    return u64{0};
}

Status<BusFault> VirtioPci::write_own(u8 bar, const Access &access, u64 value) {
    if (bar != kBar)
        return Ok{};
    const Access inside{access.offset % kPartBytes, access.width, access.vcpu};
    if (inside.offset % bytes_of(access.width) != 0)
        return Err{BusFault::alignment};
    switch (static_cast<Part>(access.offset / kPartBytes)) {
    case Part::common: return write_common(inside, value);
    case Part::isr: break;
    case Part::device:
        if (access.width == Width::b8)
            return Err{BusFault::width};
        function_.write_config(inside.offset, bytes_of(access.width), value);
        break;
    case Part::notify:
        if (access.width != Width::b2 && access.width != Width::b4)
            return Err{BusFault::width};
        if (inside.offset == 0)
            function_.notify(static_cast<u32>(value & 0xffff), access.vcpu);
        break;
    }
    return Ok{};
}

// ---------------------------------------------------------------- The common structure

/// The half, or the whole, of an address of the queue that is selected.
u64 *VirtioPci::queue_address(u64 offset) {
    VirtioQueue::State *const queue = function_.queue_to_set_up(state_.queue_sel);
    if (queue == nullptr)
        return nullptr;
    const std::array<u64 *, 3> addresses{&queue->descriptors, &queue->driver, &queue->device};
    return addresses[(offset - common::kQueueDescriptors) / 8];
}

/// Until a driver says otherwise it is the largest.
u16 VirtioPci::queue_size() const {
    const u16 size = function_.queue_state(state_.queue_sel).size;
    return size != 0 ? size : function_.queue_size_max(state_.queue_sel);
}

void VirtioPci::enable_queue() {
    if (VirtioQueue::State *state = function_.queue_to_set_up(state_.queue_sel))
        state->size = queue_size();
    function_.make_ready(state_.queue_sel);
}

Result<u64, BusFault> VirtioPci::read_common(const Access &access) {
    if (access.offset >= kCommonBytes)
        return u64{0};
    SEL4VM_TRY(check_common(access));
    const u32 queue = state_.queue_sel;
    if (common::is_address(access.offset)) {
        const VirtioQueue::State state = function_.queue_state(queue);
        const std::array<u64, 3> addresses{state.descriptors, state.driver, state.device};
        const u64 whole = addresses[(access.offset - common::kQueueDescriptors) / 8];
        return access.width == Width::b8 ? whole : whole >> (8 * (access.offset % 8)) & 0xffff'ffff;
    }
    switch (access.offset) {
    case common::kDeviceFeatureSelect: return u64{state_.device_features_sel};
    case common::kDeviceFeature:
        return state_.device_features_sel < 2
                   ? function_.offered_features() >> (32 * state_.device_features_sel) & 0xffff'ffff
                   : u64{0};
    case common::kDriverFeatureSelect: return u64{state_.driver_features_sel};
    case common::kDriverFeature:
        return state_.driver_features_sel < 2
                   ? function_.driver_features() >> (32 * state_.driver_features_sel) & 0xffff'ffff
                   : u64{0};
    case common::kConfigVector: return u64{state_.config_vector};
    case common::kQueueCount: return u64{function_.model().queue_count()};
    case common::kStatus: return u64{function_.status()};
    case common::kGeneration: return u64{function_.config_generation() & 0xff};
    case common::kQueueSelect: return u64{state_.queue_sel};
    case common::kQueueSize: return u64{queue_size()};
    case common::kQueueVector: return u64{queue < VirtioFunction::kMaxQueues ? state_.queue_vectors[queue] : kNoVector};
    case common::kQueueEnable: return u64{function_.queue_ready(queue)};
    case common::kQueueNotifyOffset: break; // one address
    default: break;
    }
    return u64{0};
}

u16 VirtioPci::checked_vector(u64 value) const { return value < vectors() ? static_cast<u16>(value) : kNoVector; }

Status<BusFault> VirtioPci::write_common(const Access &access, u64 value) {
    if (access.offset >= kCommonBytes)
        return Ok{};
    SEL4VM_TRY(check_common(access));
    if (common::is_address(access.offset)) {
        if (u64 *const whole = queue_address(access.offset)) {
            const u64 shift = 8 * (access.offset % 8);
            *whole = access.width == Width::b8 ? value : (*whole & ~(u64{0xffff'ffff} << shift)) | value << shift;
        }
        return Ok{};
    }
    const u32 queue = state_.queue_sel;
    switch (access.offset) {
    case common::kDeviceFeatureSelect: state_.device_features_sel = static_cast<u32>(value); break;
    case common::kDriverFeatureSelect: state_.driver_features_sel = static_cast<u32>(value); break;
    case common::kDriverFeature:
        if (state_.driver_features_sel < 2) {
            const u64 shift = 32 * state_.driver_features_sel;
            function_.set_driver_features((function_.driver_features() & ~(u64{0xffff'ffff} << shift)) | value
                                                                                                             << shift);
        }
        break;
    case common::kConfigVector: state_.config_vector = checked_vector(value); break;
    case common::kStatus: function_.set_status(static_cast<u8>(value)); break;
    case common::kQueueSelect: state_.queue_sel = static_cast<u16>(value); break;
    case common::kQueueSize:
        if (VirtioQueue::State *state = function_.queue_to_set_up(queue))
            state->size = static_cast<u16>(value);
        break;
    case common::kQueueVector:
        if (queue < VirtioFunction::kMaxQueues)
            state_.queue_vectors[queue] = checked_vector(value);
        break;
    case common::kQueueEnable:
        if (value == 1) // 0 is no way to stop it
            enable_queue();
        break;
    case common::kQueueReset:
        // It has happened before the driver can look.
        if (value == 1 && function_.has_feature(virtio_feature::kRingReset))
            function_.reset_queue(queue);
        break;
    default: break;
    }
    return Ok{};
}

// ---------------------------------------------------------------- The window in configuration space

std::optional<VirtioPci::CfgAccess> VirtioPci::cfg_access(VcpuId by) {
    const u32 length = config().get(cfg_at_ + kCfgLength, 4);
    const u32 offset = config().get(cfg_at_ + kCfgOffset, 4);
    const u32 bar = config().get(cfg_at_ + kCfgBar, 1);
    const bool is_width = length == 1 || length == 2 || length == 4;
    if (bar != kBar || !is_width || offset % length != 0 || offset >= kBarBytes)
        return std::nullopt;
    return CfgAccess{kBar, {offset, static_cast<Width>(length), by}};
}

void VirtioPci::before_config_read(u32 offset, u32, VcpuId by) {
    if (offset < cfg_at_ + kCfgData || offset >= cfg_at_ + kCfgData + 4)
        return;
    if (const auto to = cfg_access(by))
        config().set(cfg_at_ + kCfgData, 4, static_cast<u32>(read_own(to->bar, to->access).value_or(0)));
}

void VirtioPci::after_config_write(u32 offset, u32, VcpuId by) {
    if (offset < cfg_at_ + kCfgData || offset >= cfg_at_ + kCfgData + 4)
        return;
    if (const auto to = cfg_access(by))
        static_cast<void>(write_own(to->bar, to->access, config().get(cfg_at_ + kCfgData, bytes_of(to->access.width))));
}

// ---------------------------------------------------------------- Interrupts

void VirtioPci::queue_used(u32 queue) { tell(state_.queue_vectors[queue], kIsrUsedBuffer); }

void VirtioPci::config_changed() { tell(state_.config_vector, kIsrConfigChange); }

void VirtioPci::tell(u16 vector, u8 cause) {
    if (msix().is_on()) {
        msix().raise(vector);
        return;
    }
    state_.interrupts |= cause;
    ask_pin(Level::high);
}

u64 VirtioPci::take_isr() {
    const u64 causes = state_.interrupts;
    state_.interrupts = 0;
    ask_pin(Level::low);
    return causes;
}

void VirtioPci::reset_interrupts() {
    state_.interrupts = 0;
    state_.config_vector = kNoVector;
    state_.queue_vectors = no_vectors();
    ask_pin(Level::low);
}

} // namespace sel4vm::dev
