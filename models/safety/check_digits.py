"""Check digits of cards and of bank accounts."""


def luhn(digits: str) -> bool:
    """True if the check digit is right by ISO/IEC 7812-1, which cards use."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def mod_97_10(text: str) -> bool:
    """True if the check digits are right by ISO 7064 as used by IBANs. The check digits must be at the end of `text`;
    letters have values from A = 10."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97 == 1
