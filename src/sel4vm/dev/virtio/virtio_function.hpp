// SPDX-License-Identifier: BSD-2-Clause
//
// A virtio device of any type, without its transport: device status, negotiation of features, queues. Virtio 1.2, 2 and 3; version 1 only, so
// a driver that does not take VERSION_1 gets no FEATURES_OK.
//
// What a driver does wrong sets DEVICE_NEEDS_RESET, of which it is told, and from then on no queue is served until it resets the device: a queue
// (VirtioQueue) that makes no sense, one that is made ready before features are agreed on or with an impossible size or address, one that does
// not exist, DRIVER_OK without FEATURES_OK. What it may not change at the time (features that are agreed on, the size of a queue that is ready)
// is left as it is. A bit of the status that is set stays so until a reset.
//
// Requests are served as work of the VM (vm/device_work.hpp): at the end of the exit that told of them, and, when they are many, of later ones. A
// batch of completions tells the driver once.
//
// Deliberately not here yet: packed queues, NOTIFICATION_DATA, IN_ORDER, shared memory regions.
//
// Threads: its own lock, which the transport takes for each access, and which is held while a model is called.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/dev/virtio/virtio_model.hpp>
#include <sel4vm/dev/virtio/virtio_queue.hpp>
#include <sel4vm/vm/device_work.hpp>

#include <array>

namespace sel4vm::dev {

/// Device status, Virtio 1.2, 2.1.
namespace virtio_status {
inline constexpr u8 kAcknowledge = 1;
inline constexpr u8 kDriver = 2;
inline constexpr u8 kDriverOk = 4;
inline constexpr u8 kFeaturesOk = 8;
inline constexpr u8 kNeedsReset = 64;
inline constexpr u8 kFailed = 128;
} // namespace virtio_status

/// How a transport tells the driver. With the function's lock held.
class VirtioInterrupts {
public:
    /// Chains of this queue were given back, and the driver wants to know.
    virtual void queue_used(u32 queue) = 0;
    virtual void config_changed() = 0;
    /// Nothing is told any more.
    virtual void reset_interrupts() = 0;

protected:
    ~VirtioInterrupts() = default;
};

/// What a machine has for a virtio device; all of it outlives the device.
struct VirtioSite {
    DmaPort &dma;
    WorkTurns &work;
    LockMode locks = LockMode::none;
};

class VirtioFunction final : private DeviceWork {
public:
    static constexpr u32 kMaxQueues = 8;

    /// Everything a guest can see that is no transport's and no model's.
    struct State {
        u64 driver_features = 0; ///< agreed on once FEATURES_OK is set
        u32 config_generation = 0;
        u8 status = 0;
        std::array<VirtioQueue::State, kMaxQueues> queues{};
        friend bool operator==(const State &, const State &) = default;
    };

    VirtioFunction(VirtioModel &model, VirtioInterrupts &interrupts, const VirtioSite &site)
        : model_(model), interrupts_(interrupts), dma_(site.dma), turns_(site.work),
          lock_(LockRank::device, site.locks) {
        joined_ = turns_.add(*this);
    }
    VirtioFunction(const VirtioFunction &) = delete;
    VirtioFunction &operator=(const VirtioFunction &) = delete;
    ~VirtioFunction() { turns_.withdraw(*this); }

    /// False: the machine has too many devices for it to work.
    [[nodiscard]] bool joined() const { return joined_; }
    [[nodiscard]] Mutex &lock() { return lock_; }
    [[nodiscard]] VirtioModel &model() { return model_; }

    // -- for transports, with the lock held
    [[nodiscard]] u64 offered_features() const;
    [[nodiscard]] u64 driver_features() const { return state_.driver_features; }
    void set_driver_features(u64 features);
    [[nodiscard]] u8 status() const { return state_.status; }
    /// A driver's write.
    void set_status(u8 value);
    [[nodiscard]] u32 config_generation() const { return state_.config_generation; }
    [[nodiscard]] u64 read_config(u64 offset, u32 bytes) const;
    void write_config(u64 offset, u32 bytes, u64 value);

    /// 0: there is no such queue.
    [[nodiscard]] u16 queue_size_max(u32 queue) const;
    [[nodiscard]] bool queue_ready(u32 queue) const { return queue < kMaxQueues && queues_[queue].state().ready; }
    /// As it was set up; of one that does not exist 0.
    [[nodiscard]] VirtioQueue::State queue_state(u32 queue) const {
        return queue < kMaxQueues ? queues_[queue].state() : VirtioQueue::State{};
    }
    /// nullptr: there is no such queue, or it is ready, and its place cannot be changed.
    [[nodiscard]] VirtioQueue::State *queue_to_set_up(u32 queue);
    void make_ready(u32 queue);
    /// QueueReady written with 0, or a reset of the queue: its chains are given up.
    void stop_queue(u32 queue);
    void reset_queue(u32 queue);
    /// The driver tells of a queue. `by`: whose exit this is.
    void notify(u32 queue, VcpuId by);
    /// By the driver, or with the machine.
    void reset();

    // -- for models, with the lock held
    [[nodiscard]] bool has_feature(u64 bit) const { return (state_.driver_features & bit) != 0; }
    [[nodiscard]] DmaPort &dma() { return dma_; }
    /// The next chain, for which its descriptors are taken from `left_bytes`. False: there is none now.
    [[nodiscard]] bool take(u32 queue, VirtioChain &chain, u64 &left_bytes);
    /// How many were taken and not given back.
    [[nodiscard]] u16 in_flight(u32 queue) const { return queues_[queue].in_flight(); }
    /// One of those: for restore(). False: it makes no sense.
    [[nodiscard]] bool fetch(u32 queue, u16 head, VirtioChain &chain);
    /// Gives one back. The driver hears of it at the end of a step, or by tell().
    void give_back(u32 queue, u16 head, u32 written_bytes);
    void tell();
    /// The model can go on with this queue.
    void ask(u32 queue);
    /// The same from any thread, without the function's lock; with locks of a rank up to LockRank::network.
    void ask_from_outside(u32 queue);
    /// The last chain that was taken is the next one again.
    void put_back(u32 queue) { queues_[queue].put_back(1); }
    /// Whether chains of it may be taken.
    [[nodiscard]] bool serves(u32 queue) const { return runs() && queue_ready(queue); }
    /// Of a queue that a model serves under a lock of its own, while serves() said yes when the model heard last: take, give back, and what that asks for
    /// are the model's business then, and the driver is told by raise().
    [[nodiscard]] VirtioQueue &own_queue(u32 queue) { return queues_[queue]; }
    void raise(u32 queue) { interrupts_.queue_used(queue); }
    /// The driver has done what it must not.
    void needs_reset();
    void change_config();

    /// Both while no vCPU of the VM runs. What a model has begun is not in it: the model says what it has.
    [[nodiscard]] State state() const;
    /// Any value: a state that no device can have asks the driver for a reset.
    void restore(const State &state);

private:
    [[nodiscard]] bool work(u64 &left_bytes) override;
    [[nodiscard]] bool runs() const;

    VirtioModel &model_;
    VirtioInterrupts &interrupts_;
    DmaPort &dma_;
    WorkTurns &turns_;
    Mutex lock_; // of all that follows
    State state_;
    std::array<VirtioQueue, kMaxQueues> queues_;
    std::atomic<u32> asked_from_outside_{0}; ///< bit n: queue n, as in to_serve_
    u32 to_serve_ = 0;                       ///< bit n: queue n may have something
    u32 to_tell_ = 0; ///< bit n: chains of queue n were given back since its driver was told last
    bool joined_ = false;
};

} // namespace sel4vm::dev
