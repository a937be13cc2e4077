#!/bin/sh
# Stands in for the scripts' own tool that writes to /proc/sys: arguments are FILE=VALUE.
# SPDX-License-Identifier: MIT
for word; do
    name=${word#/proc/sys/}
    printf 'sysctl %s=%s\n' "$(printf %s "${name%%=*}" | tr / .)" "${name#*=}"
done >>"$DRYSOCK_COMMANDS"
printf '#!/bin/sh\n' >"/tmp/sysctl_restore_$PACKETDRILL_PID.sh" # which each script runs at its end
chmod u+x "/tmp/sysctl_restore_$PACKETDRILL_PID.sh"
