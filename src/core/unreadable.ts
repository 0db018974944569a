import { beginningOf } from './beginning-of.ts';

/** Of what was found so much is shown. */
const shown = 120;
/** Names of packages stand in places, and may be anything. */
const longestPlace = 300;

/** A text of somebody else that is not what it has to be: it names the place, what stands there, and what helps. */
export class Unreadable extends Error {
  /** A file or a command, and where one is known, the line. */
  readonly place: string;
  readonly remedy: string;

  constructor(place: string, found: string, remedy: string) {
    super(
      `${beginningOf(place, longestPlace)}: cannot read ${JSON.stringify(beginningOf(found, shown))}: ${remedy}`,
    );
    this.name = 'Unreadable';
    this.place = beginningOf(place, longestPlace);
    this.remedy = remedy;
  }
}
