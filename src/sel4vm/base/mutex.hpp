// SPDX-License-Identifier: BSD-2-Clause
//
// Locks with a rank. The lock order of the whole library is the order of LockRank: a holder may only take a lock of a
// higher rank. clang's thread-safety analysis checks who holds what; builds with SEL4VM_CHECK_LOCK_ORDER (the hosted tests)
// also check the rank at run time, per thread. A Mutex spins: critical sections here are bounded and never wait for anything else, and in a VM
// that one executor serves (LockMode::none) it costs one predictable branch. Deliberately not recursive.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

#include <atomic>

#if defined(__clang__)
#define SEL4VM_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define SEL4VM_THREAD_ANNOTATION(x)
#endif
#define SEL4VM_CAPABILITY(x)             SEL4VM_THREAD_ANNOTATION(capability(x))
#define SEL4VM_SCOPED_CAPABILITY         SEL4VM_THREAD_ANNOTATION(scoped_lockable)
#define SEL4VM_GUARDED_BY(x)             SEL4VM_THREAD_ANNOTATION(guarded_by(x))
#define SEL4VM_REQUIRES(...)             SEL4VM_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define SEL4VM_EXCLUDES(...)             SEL4VM_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define SEL4VM_ACQUIRE(...)              SEL4VM_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define SEL4VM_RELEASE(...)              SEL4VM_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define SEL4VM_NO_THREAD_SAFETY_ANALYSIS SEL4VM_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace sel4vm {

/// The lock order, outermost first. docs/threading.md says what each protects.
enum class LockRank : u8 {
    lifecycle =
        1, ///< carrying out a VM's start, resume, reset, stop or CPU_ON; asking for a pause, reset or stop takes no lock
    device = 2,      ///< one per device on a bus, taken by the dispatcher
    doorbells = 3,   ///< who rings whom through one shared memory, of several VMs
    network = 4,     ///< who is at one port of a network, and its receive queue; the addresses of one switch
    irq_wires = 5,   ///< a wire that several functions of a bus drive
    translation = 6, ///< what turns a device's message into an interrupt by tables in guest memory
    memory = 7,      ///< a VM's demand RAM: which steps of it are cleared and mapped
    address_map = 8, ///< changes of an address map
    irq_vcpu = 9,    ///< one vCPU's part of the interrupt controller's state
    irq_chip = 10,   ///< what its vCPUs share
    timeouts = 11,   ///< an executor's queue of timeouts
    stop = 12,       ///< a VM's stop: its reason, and who stops it
    serving = 13,    ///< which executors serve a VM
    host = 14,       ///< a host port's own locks
};

/// Whether more than one executor may enter the objects of a VM.
enum class LockMode : u8 {
    spin, ///< first, so that telling it from the others costs one instruction
    none,
};

class Mutex;

#if defined(SEL4VM_CHECK_LOCK_ORDER)
/// Hears of each lock that its thread takes. Hosted builds only.
class LockObserver {
public:
    virtual void taken(const Mutex &mutex) = 0;

protected:
    ~LockObserver() = default;
};
namespace detail {
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
/// Bit n: the thread holds a lock of rank n. Hosted builds only.
inline thread_local u32 held_ranks = 0;
inline thread_local LockObserver *lock_observer = nullptr;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)
} // namespace detail
#endif

class SEL4VM_CAPABILITY("mutex") Mutex {
public:
    constexpr explicit Mutex(LockRank rank, LockMode mode = LockMode::spin) : rank_(rank), mode_(mode) {}
    Mutex(const Mutex &) = delete;
    Mutex &operator=(const Mutex &) = delete;

    [[nodiscard]] constexpr LockRank rank() const { return rank_; }
    [[nodiscard]] constexpr LockMode mode() const { return mode_; }

    void lock() SEL4VM_ACQUIRE() {
        note_taken();
        take();
    }
    void unlock() SEL4VM_RELEASE() {
        note_released();
        release();
    }
    /// One more of the same rank as the last one that was taken. Who takes several takes all that it ever holds together in one order, which is
    /// the same for everybody, and releases them before that first one.
    void lock_next() SEL4VM_ACQUIRE() {
        note_next_taken();
        take();
    }
    void unlock_next() SEL4VM_RELEASE() { release(); }

private:
    void take() {
        if (mode_ != LockMode::spin) [[likely]] // the others have a lock to pay for
            return;
        while (word_.exchange(1, std::memory_order_acquire) != 0) {
            while (word_.load(std::memory_order_relaxed) != 0)
                relax();
        }
    }
    void release() {
        if (mode_ != LockMode::spin) [[likely]]
            return;
        word_.store(0, std::memory_order_release);
    }
#if defined(SEL4VM_CHECK_LOCK_ORDER)
    /// A lock may be taken only when every lock held has a lower rank; the same rank twice would be a deadlock.
    void note_taken() const {
        SEL4VM_ASSERT((detail::held_ranks >> static_cast<u32>(rank_)) == 0);
        detail::held_ranks |= u32{1} << static_cast<u32>(rank_);
        tell_observer();
    }
    void note_next_taken() const {
        SEL4VM_ASSERT((detail::held_ranks >> static_cast<u32>(rank_)) == 1);
        tell_observer();
    }
    void tell_observer() const {
        if (detail::lock_observer != nullptr)
            detail::lock_observer->taken(*this);
    }
    /// Only who has taken a lock may release it.
    void note_released() const {
        SEL4VM_ASSERT((detail::held_ranks >> static_cast<u32>(rank_) & 1) != 0);
        detail::held_ranks &= ~(u32{1} << static_cast<u32>(rank_));
    }
#else
    static void note_taken() {}
    static void note_next_taken() {}
    static void note_released() {}
#endif
    static void relax() {
#if defined(__aarch64__)
        asm volatile("yield");
#elif defined(__x86_64__)
        asm volatile("pause");
#endif
    }
    std::atomic<u32> word_{0};
    LockRank rank_;
    LockMode mode_;
};

class SEL4VM_SCOPED_CAPABILITY LockGuard {
public:
    explicit LockGuard(Mutex &mutex) SEL4VM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~LockGuard() SEL4VM_RELEASE() { mutex_.unlock(); }
    LockGuard(const LockGuard &) = delete;
    LockGuard &operator=(const LockGuard &) = delete;

private:
    Mutex &mutex_;
};

} // namespace sel4vm
