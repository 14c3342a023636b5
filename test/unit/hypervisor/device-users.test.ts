import test from "ava";
import { isOpenForWriting } from "../../../apps/host-daemon/src/hypervisor/device-users.ts";

test("isOpenForWriting › goes by the access mode, and takes what it cannot read for yes", (t) => {
	t.false(isOpenForWriting("pos:\t0\nflags:\t0100000\nmnt_id:\t9\n"));
	t.true(isOpenForWriting("pos:\t0\nflags:\t0100002\nmnt_id:\t9\n"));
	t.true(isOpenForWriting("pos:\t0\nflags:\t0140001\n"));
	t.true(isOpenForWriting(""));
});
