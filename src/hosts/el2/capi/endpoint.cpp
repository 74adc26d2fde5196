// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/capi/endpoint.hpp>

namespace sel4vm::el2 {

namespace {

ProcessorSetup processor_setup(const PlatformInfo &platform) {
    ProcessorSetup setup = ProcessorSetup::of(platform);
    setup.waits_for_notifications = false;
    return setup;
}

} // namespace

void CpuClaim::give_to(Endpoint &endpoint) {
    if (holder_ == &endpoint) [[likely]]
        return;
    take_back();
    endpoint.processor().take_over();
    holder_ = &endpoint;
}

void CpuClaim::take_back() {
    if (holder_ == nullptr)
        return;
    holder_->processor().release();
    holder_ = nullptr;
}

// A Processor takes the hardware as it is made, so nobody else may have it; it gets it again when it is first waited on.
Endpoint::Endpoint(Host &host, CpuClaim &claim)
    : claim_((claim.take_back(), claim)), processor_(host.gic(), host.interrupts(), processor_setup(host.platform())) {
    processor_.release();
}

} // namespace sel4vm::el2
