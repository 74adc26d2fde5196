// SPDX-License-Identifier: BSD-2-Clause
//
// The outer end of a serial device: where whoever has bytes for its guest offers them. Every UART model has one, so that a console, a machine
// and a program need not know which model it is. What the guest sends goes to the ByteSink that the device was made with.
//
// Back-pressure: a port takes what its guest has room for, and tells its listener when there is room again. Nothing is stored between a
// source and the guest but what the device's own FIFO holds.
//
// Threads: the bus calls a device under its lock (MapSlot::lock); whoever else calls receive() holds that lock, too, or runs on the
// VM's only executor. The listener is called with it held.
#pragma once

#include <sel4vm/base/types.hpp>

#include <span>

namespace sel4vm {

/// Told when bytes that receive() refused may be offered again. Called at the end of a guest's access; it may call
/// receive() at once.
class ReceiveListener {
public:
    virtual void receive_space() = 0;

protected:
    ~ReceiveListener() = default;
};

class SerialPort {
public:
    /// Offers bytes from outside, first one first. Returns how many were taken; the rest is to be offered again after
    /// ReceiveListener::receive_space().
    [[nodiscard]] virtual usize receive(std::span<const u8> bytes) = 0;
    /// nullptr: nobody listens. It outlives the port, or is taken back.
    virtual void set_listener(ReceiveListener *listener) = 0;

protected:
    ~SerialPort() = default;
};

} // namespace sel4vm
