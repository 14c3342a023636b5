// Links within one process, whose carriage a test decides: cut, delay, double, reorder.
import { Inbox } from "./inbox.ts";
import type { Link } from "./link.ts";

/** Carries one text: calls `deliver` never, once or often, now or later. */
export type Carrier = (deliver: () => void) => void;

const atOnce: Carrier = (deliver) => {
	queueMicrotask(deliver);
};

const end = (peer: string, mine: Inbox, theirs: Inbox, carry: Carrier): Link => ({
	peer,
	send: (text) => {
		if (mine.isClosed) return;
		carry(() => {
			theirs.message(text);
		});
	},
	waiting: () => 0,
	listen: (listener) => {
		mine.listen(listener);
	},
	close: (reason) => {
		mine.closed(reason);
		queueMicrotask(() => {
			theirs.closed(reason);
		});
	},
});

/** The two ends of a link between hosts: the first is what host `a` holds. */
export const createMemoryLink = (
	a: string,
	b: string,
	carry: Carrier = atOnce,
): readonly [Link, Link] => {
	const [left, right] = [new Inbox(), new Inbox()];
	return [end(b, left, right, carry), end(a, right, left, carry)];
};
