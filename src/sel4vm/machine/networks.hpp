// SPDX-License-Identifier: BSD-2-Clause
//
// The networks that VMs of one program are at, by name: a switch is made for the first VM that joins, and is gone when the last has left.
//
// Threads: join() and leaving one at a time, while VMs are built or taken down; others may run, and send.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/machine/description.hpp>

#include <utility>

namespace sel4vm::machine {

enum class NetworkError : u8 {
    too_many,      ///< kMaxSwitches
    no_port,       ///< all ports of the switch are taken, or another has this address
    out_of_memory, ///< for the switch
};
/// A phrase for messages.
[[nodiscard]] std::string_view to_string(NetworkError error);

class Networks {
    struct Network {
        Network(std::string_view its_name, Clock &clock) : lan(clock) { name << its_name; }
        Text<kMaxNameBytes> name;
        dev::FrameSwitch lan;
    };

public:
    /// Both outlive this, and this its members.
    Networks(Allocator &allocator, Clock &clock) : allocator_(allocator), clock_(clock) {}
    Networks(const Networks &) = delete;
    Networks &operator=(const Networks &) = delete;
    ~Networks() = default;

    /// A VM's port; it leaves when this goes, after the device that is at it.
    class Member {
    public:
        Member() = default;
        Member(Member &&other) noexcept
            : all_(std::exchange(other.all_, nullptr)), network_(std::exchange(other.network_, nullptr)),
              port_(std::exchange(other.port_, nullptr)) {}
        Member &operator=(Member &&other) noexcept {
            std::swap(all_, other.all_);
            std::swap(network_, other.network_);
            std::swap(port_, other.port_);
            return *this;
        }
        ~Member() {
            if (all_ != nullptr)
                all_->leave(*network_, *port_);
        }
        /// nullptr: it is at none.
        [[nodiscard]] dev::FrameSwitch::Port *port() const { return port_; }

    private:
        friend class Networks;
        Member(Networks &all, Network &network, dev::FrameSwitch::Port &port)
            : all_(&all), network_(&network), port_(&port) {}
        Networks *all_ = nullptr;
        Network *network_ = nullptr;
        dev::FrameSwitch::Port *port_ = nullptr;
    };

    [[nodiscard]] Result<Member, NetworkError> join(std::string_view name, const dev::SwitchPortOptions &options);

private:
    [[nodiscard]] Result<Network *, NetworkError> find_or_make(std::string_view name);
    void leave(Network &network, dev::FrameSwitch::Port &port);
    void remove_if_empty(Network &network);

    Allocator &allocator_;
    Clock &clock_;
    FixedVector<Owned<Network>, kMaxSwitches> networks_;
};

} // namespace sel4vm::machine
