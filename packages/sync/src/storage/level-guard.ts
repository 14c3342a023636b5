// LevelDB as PouchDB is given it. It adds what PouchDB lacks: each batch is fsynced, and a failed read is an error.
// PouchDB takes a document it cannot read for absent, or throws where nobody can catch it (seen with flipped bytes, 9.0.0).
import leveldown from "leveldown";
import vuvuzela from "vuvuzela";

// What JSON.parse refuses, PouchDB gives to vuvuzela 1.0.3, against documents too deep for it. On text that is cut short that takes
// seconds and a gigabyte, and of other damage it makes something up; JSON.parse of Node takes any depth.
vuvuzela.parse = JSON.parse;

type Reject = (reason: Error) => void;
type Callback = (error?: Error | null, value?: unknown) => void;

type NextCallback = (...entry: unknown[]) => void;
type Iterator = { _next(callback: NextCallback): unknown };

/** The methods that all reads and batches of levelup go through. */
type Level = {
	_get(key: unknown, options: object, callback: Callback): void;
	_iterator(options: object): Iterator;
	_batch(operations: unknown, options: object, callback: Callback): void;
	close(callback: Callback): void;
};

const isNotFound = (error: Error): boolean => /notfound/i.test(error.message);

/** One LevelDB under guard. */
export class LevelGuard {
	readonly #make: (location: string) => Level;
	readonly #waiting = new Set<Reject>();
	#level: Level | undefined;
	#damage: Error | undefined;
	/** While set a key that is not there is damage too. */
	strict = false;

	/** The `db` option of PouchDB. */
	readonly factory = (location: string): object => {
		const level = this.#make(location);
		this.#level = level;
		const batch = level._batch.bind(level);
		const get = level._get.bind(level);
		const iterator = level._iterator.bind(level);
		level._batch = (operations, options, callback) =>
			batch(operations, { ...options, sync: true }, callback);
		level._get = (key, options, callback) =>
			get(key, options, (error, value) => {
				const damaged = error instanceof Error && (this.strict || !isNotFound(error));
				if (damaged) this.#fail(error);
				else this.#try(() => callback(error, value));
			});
		level._iterator = (options) => {
			const made = iterator(options);
			const next = made._next.bind(made);
			made._next = (callback) => next((...entry) => this.#try(() => callback(...entry)));
			return made;
		};
		return level;
	};

	constructor(make: (location: string) => Level = leveldown) {
		this.#make = make;
		// PouchDB shares databases of one path whose factories have one name; a name of its own leaves that to LevelDB's lock.
		Object.defineProperty(this.factory, "name", { value: `leveldown-${crypto.randomUUID()}` });
	}

	/** The outcome of an operation of PouchDB, or a rejection as soon as a read below it has failed: PouchDB does not go on then. */
	async watch<T>(operation: Promise<T>): Promise<T> {
		if (this.#damage !== undefined) throw this.#damage;
		return new Promise((resolve, reject) => {
			this.#waiting.add(reject);
			operation.then(resolve, reject).finally(() => this.#waiting.delete(reject));
		});
	}

	/** Closes by `close`, that is PouchDB's; after a failed read PouchDB never ends what it began, and LevelDB is closed below it. */
	async close(close: () => Promise<void>): Promise<void> {
		const level = this.#level;
		if (this.#damage === undefined || level === undefined) await close();
		else await new Promise<void>((resolve) => level.close(() => resolve()));
	}

	/** Values are decoded in these callbacks, whose callers are native: what is thrown there would end the process. */
	#try(callback: () => void): void {
		try {
			callback();
		} catch (thrown) {
			this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
		}
	}

	#fail(cause: Error): void {
		this.#damage ??= new Error("the store cannot be read", { cause });
		for (const reject of this.#waiting) reject(this.#damage);
	}
}
