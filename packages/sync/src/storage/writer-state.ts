// What a host's writes are numbered by: its counter for owned documents, its clock for the fields of shared ones.
import { HLC_START, type Hlc, laterHlc, nextHlc } from "@knib/core";

/** The numbers of one open store. */
export class WriterState {
	readonly #now: () => number;
	#counter: number;
	#hlc: Hlc = HLC_START;

	constructor(counter: number, now: () => number) {
		this.#counter = counter;
		this.#now = now;
	}

	/** The number of the next write of this host: never one that it has used. */
	nextVersion(): number {
		this.#counter += 1;
		return this.#counter;
	}

	/** A write of this host with this number is known. */
	sawVersion(ver: number): void {
		this.#counter = Math.max(this.#counter, ver);
	}

	/** The clock's value for the next field. */
	nextHlc(): Hlc {
		this.#hlc = nextHlc(this.#hlc, this.#now());
		return this.#hlc;
	}

	/** A field with this value is known. */
	sawHlc(hlc: Hlc): void {
		this.#hlc = laterHlc(this.#hlc, hlc);
	}
}
