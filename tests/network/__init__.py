"""The client against real sockets, and the AWS set-up of a machine."""
