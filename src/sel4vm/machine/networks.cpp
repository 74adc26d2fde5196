// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/networks.hpp>

namespace sel4vm::machine {

std::string_view to_string(NetworkError error) {
    switch (error) {
    case NetworkError::too_many: return "there are too many networks";
    case NetworkError::no_port: return "the switch has no port left, or another port has its address";
    case NetworkError::out_of_memory: return "the host has no memory left for the switch";
    }
    return "?";
}

Result<Networks::Network *, NetworkError> Networks::find_or_make(std::string_view name) {
    for (const Owned<Network> &network : networks_) {
        if (network->name.view() == name)
            return network.get();
    }
    if (networks_.full())
        return Err{NetworkError::too_many};
    auto network = Owned<Network>::make(allocator_, name, clock_);
    if (!network)
        return Err{NetworkError::out_of_memory};
    Network *const made = network.get();
    (void)networks_.emplace_back(std::move(network)); // not full, see above
    return made;
}

Result<Networks::Member, NetworkError> Networks::join(std::string_view name, const dev::SwitchPortOptions &options) {
    Network *const network = SEL4VM_TRY(find_or_make(name));
    dev::FrameSwitch::Port *const port = network->lan.join(options);
    if (port != nullptr)
        return Member(*this, *network, *port);
    remove_if_empty(*network);
    return Err{NetworkError::no_port};
}

void Networks::leave(Network &network, dev::FrameSwitch::Port &port) {
    network.lan.leave(port);
    remove_if_empty(network);
}

void Networks::remove_if_empty(Network &network) {
    if (!network.lan.empty())
        return;
    for (usize i = 0; i < networks_.size(); ++i) {
        if (networks_[i].get() == &network) {
            networks_.erase(i);
            return;
        }
    }
}

} // namespace sel4vm::machine
