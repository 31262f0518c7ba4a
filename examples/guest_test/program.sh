#!/bin/sh
# Would run in the guest.
echo "$@"
