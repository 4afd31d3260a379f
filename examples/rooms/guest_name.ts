/**
 * Names for those who have not given one: two of them in a room can be told apart.
 *
 * @module
 */
const MANNERS = [
  ...["Bold", "Bright", "Calm", "Clever", "Gentle", "Happy", "Keen", "Kind"],
  ...["Lucky", "Merry", "Patient", "Quick", "Quiet", "Sunny", "Warm", "Witty"],
] as const;

const ANIMALS = [
  ...["Badger", "Beaver", "Crane", "Dolphin", "Falcon", "Fox", "Gecko", "Heron"],
  ...["Ibex", "Lynx", "Marten", "Otter", "Puffin", "Robin", "Stork", "Wren"],
] as const;

/**
 * Makes a name.
 *
 * @param id Hexadecimal digits.
 * @returns The same name for the same id.
 */
export function toGuestName(id: string): string {
  const [manner = 0, animal = 0] = [...id].map((digit) => parseInt(digit, 16));
  return `${MANNERS[manner]} ${ANIMALS[animal]}`;
}
