// SPDX-License-Identifier: BSD-2-Clause
//
// A learning switch between network devices of the VMs of one machine, and what each port may do. It keeps no frame: send() copies from the sender's memory into
// the receivers' buffers, and a receiver without room gets nothing, which is counted. So a VM that does not read costs others nothing, and one that floods pays for
// the copies itself.
//
// Addresses: a port's own, which it is joined with, is always its; frames of others that say that they come from it are dropped. Others are learnt. What is for
// nobody that is known, and for groups, goes to all but the sender; what is for link-local groups of bridges (IEEE 802.1Q, 8.6.3) to nobody.
// Deliberately not here: VLANs, spanning trees, groups that are learnt.
//
// Threads: join() and leave() from any that holds no lock; ports as NetDevice. Two locks of LockRank::network, never both at once: the switch's, for one look at its
// addresses; a port's, for one frame that it receives, and what its receiver does with it.
#pragma once

#include <sel4vm/dev/counter.hpp>
#include <sel4vm/dev/frame_switch/address_table.hpp>
#include <sel4vm/host/services.hpp>

namespace sel4vm::dev {

struct SwitchPortOptions {
    MacAddress mac{};
    bool isolated = false;   ///< others that are so, too, are out of its reach
    bool mac_filter = false; ///< it sends with its own address only
};

class FrameSwitch {
public:
    static constexpr usize kMaxPorts = 16;

    /// Since the port was joined.
    struct Counters {
        Counter sent;        ///< frames that it gave to the switch, those below included
        Counter refused;     ///< of those: with an address that is not its to send with
        Counter undelivered; ///< of those: for which there was nobody
        Counter malformed;   ///< what it would have given to the switch, were it a frame
        Counter received;
        Counter no_room; ///< for it, that it had no buffers for
    };

    class Port final : public NetDevice {
    public:
        Port() = default;
        Port(const Port &) = delete;
        Port &operator=(const Port &) = delete;

        void connect(NetReceiver *receiver) override;
        [[nodiscard]] Mutex &receive_lock() override { return lock_; }
        [[nodiscard]] NetSent send(const NetFrame &frame, u64 &left_bytes) override;
        void end_burst() override;
        void note_malformed() override { counters_.malformed.add(); }
        [[nodiscard]] const Counters &counters() const { return counters_; }

    private:
        friend class FrameSwitch;
        enum class Delivery : u8 { done, none, bad_memory };
        [[nodiscard]] Delivery receive(const NetFrame &frame, u64 &left_bytes);

        FrameSwitch *owner_ = nullptr; ///< nullptr: nobody has joined here
        SwitchPortOptions options_;
        u8 index_ = 0;
        Counters counters_;
        u32 reached_ = 0; ///< bit n: port n, since the last end of a burst; the sender's
        Mutex lock_{LockRank::network};
        NetReceiver *receiver_ = nullptr; // under lock_
    };

    explicit FrameSwitch(Clock &clock) : clock_(clock), addresses_(clock.ticks_per_second()) {}
    FrameSwitch(const FrameSwitch &) = delete;
    FrameSwitch &operator=(const FrameSwitch &) = delete;

    /// nullptr: all ports are taken, or one has this address.
    [[nodiscard]] Port *join(const SwitchPortOptions &options);
    /// Its device is gone.
    void leave(Port &port);
    [[nodiscard]] bool empty();

private:
    /// Where a frame goes: bit n is port n. No bits: to nobody.
    struct Route {
        u32 ports = 0;
        bool refused = false;
    };
    [[nodiscard]] Route route(const Port &from, const NetFrame &frame);
    [[nodiscard]] const Port *owner_of(const MacAddress &mac) const;

    Clock &clock_;
    Mutex lock_{LockRank::network}; // of what follows, and of owner_, options_ and index_ of the ports
    AddressTable addresses_;
    std::array<Port, kMaxPorts> ports_;
    u32 joined_ = 0; ///< bit n: port n
    u32 isolated_ = 0;
};

} // namespace sel4vm::dev
