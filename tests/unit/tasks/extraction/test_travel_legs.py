"""Legs of a journey by air or rail."""

from typing import Any

from tasks.extraction.travel_legs import MAX_ROWS
from tests.lists_in_text import OR_NULL, TEXT, list_in

DATE = {"type": "string", "format": "date"}
CODE = {"type": "string", "description": "IATA code"}
FLIGHTS = """Outbound – Sat 14 Feb 2026
NV 418   Gothenburg (GOT) 07:25  →  Munich (MUC) 09:30   Duration 2h 05m   Economy Light
Return – Sun 22 Feb 2026
NV 423   Munich (MUC) 20:10  →  Gothenburg (GOT) 22:20   Duration 2h 10m   Economy Light
"""
TRAINS = """Reiseplan am 03.05.2026

ICE 578
ab 08:14 Kassel-Wilhelmshöhe
an 10:02 Hamburg Hbf

RE 21
ab 10:31 Hamburg Hbf
an 11:20 Lübeck Hbf
"""


def legs(text: str, **columns: Any) -> Any:
    return list_in(text, "segments", **columns)


def test_a_flight_has_its_airports_times_and_the_day_above_it() -> None:
    columns = {"flight": TEXT, "from": CODE, "to": CODE, "date": DATE, "departure": TEXT, "arrival": TEXT}
    assert [tuple(one.values()) for one in legs(FLIGHTS, **columns)] == [
        ("NV 418", "GOT", "MUC", "2026-02-14", "07:25", "09:30"),
        ("NV 423", "MUC", "GOT", "2026-02-22", "20:10", "22:20"),
    ]


def test_a_place_beside_a_time_is_a_departure_if_the_time_has_a_field_of_its_own() -> None:
    columns = {"flight": TEXT, "departure": TEXT, "departure_time": TEXT, "arrival": TEXT, "arrival_time": TEXT}
    found = legs(FLIGHTS, **columns)
    assert [(one["departure"], one["arrival"]) for one in found] == [("Gothenburg", "Munich"), ("Munich", "Gothenburg")]


def test_the_lines_below_a_train_have_its_stations_and_times() -> None:
    columns = {"train": TEXT, "von": TEXT, "nach": TEXT, "abfahrt": TEXT, "ankunft": OR_NULL}
    assert [tuple(one.values()) for one in legs(TRAINS, **columns)] == [
        ("ICE 578", "Kassel-Wilhelmshöhe", "Hamburg Hbf", "08:14", "10:02"),
        ("RE 21", "Hamburg Hbf", "Lübeck Hbf", "10:31", "11:20"),
    ]


def test_codes_without_two_times_are_no_flights() -> None:
    columns = {"flight": TEXT, "from": TEXT, "to": TEXT, "departure": TEXT, "arrival": TEXT}
    assert not legs("Booking LS 6201, 12 Dock Row, MK40 2AB\nCall 08:00 to have it changed.\n", **columns)


def test_a_leg_takes_places_codes_and_times_from_the_columns_of_its_box() -> None:
    boxes = """VE 2215                              14 jun 2026
DESDE                  HASTA
BIO                    MAD
Bilbao                 Madrid
06:40                  07:45
Asiento 11C            Clase Turista

VE 6804                              2 jul 2026
DESDE                  HASTA
UIO                    MAD
Quito                  Madrid
17:20                  11:10
"""
    columns = {"vuelo": TEXT, "origen": TEXT, "codigo_origen": TEXT, "destino": TEXT, "codigo_destino": TEXT}
    found = legs(boxes, **columns, fecha=DATE, salida=TEXT, llegada=TEXT)
    assert [tuple(one.values()) for one in found] == [
        ("VE 2215", "Bilbao", "BIO", "Madrid", "MAD", "2026-06-14", "06:40", "07:45"),
        ("VE 6804", "Quito", "UIO", "Madrid", "MAD", "2026-07-02", "17:20", "11:10"),
    ]


def test_labels_in_rows_of_their_own_tell_the_ends_of_a_leg() -> None:
    text = """PERCURSO  Serv. EX 311
De SETÚBAL (Várzea)
18-07-2026 07:15  Cais 4
Para LISBOA (Sete Rios)
18-07-2026 08:05
"""
    moment = {"type": "string", "description": "AAAA-MM-DDTHH:MM"}
    assert legs(text, origem=TEXT, partida=moment, destino=TEXT, chegada=moment) == [
        {
            "origem": "SETÚBAL (Várzea)",
            "partida": "2026-07-18T07:15",
            "destino": "LISBOA (Sete Rios)",
            "chegada": "2026-07-18T08:05",
        }
    ]


def test_boxes_side_by_side_without_numbers_are_a_leg_each() -> None:
    text = """ANDATA                                        RITORNO
LIVORNO → BASTIA                              BASTIA → LIVORNO
sab 02/08/2025 - part. 08:30 - arr. 12:40     dom 17/08/2025 - part. 23:15 - arr. 06:45
Presentarsi entro le 07:00                    Presentarsi entro le 21:45
"""
    found = legs(text, da=TEXT, a=TEXT, data=DATE, partenza=TEXT)
    assert [tuple(one.values()) for one in found] == [
        ("LIVORNO", "BASTIA", "2025-08-02", "08:30"),
        ("BASTIA", "LIVORNO", "2025-08-17", "23:15"),
    ]


def test_times_and_days_are_read_as_airlines_print_them() -> None:
    text = """Issued 06MAR25
AC 9857   MON 24MAR   LONDON HEATHROW (T2)    DEP 1205
operated  by Aurora   TORONTO PEARSON (T1)    ARR 1510
"""
    found = legs(text, flight=TEXT, origin=TEXT, destination=TEXT, departure=TEXT, arrival=TEXT)
    assert [tuple(one.values()) for one in found] == [("AC 9857", "LONDON HEATHROW", "TORONTO PEARSON", "1205", "1510")]


def test_a_ferry_has_the_ports_and_days_above_and_below_its_times() -> None:
    text = """ANDATA     LIVORNO            OLBIA
           molo 14            Isola Bianca
           21:30              07:00
           ven 14/08/2026     sab 15/08/2026
"""
    found = legs(text, porto_partenza=TEXT, partenza_ora=TEXT, porto_arrivo=TEXT, arrivo_data=DATE, arrivo_ora=TEXT)
    assert [tuple(one.values()) for one in found] == [("LIVORNO", "21:30", "OLBIA", "2026-08-15", "07:00")]


def test_a_leg_has_no_more_rows_than_its_limit_also_if_its_number_is_the_last() -> None:
    columns = {"train": TEXT, "von": TEXT, "nach": TEXT, "abfahrt": TEXT, "ankunft": OR_NULL}
    for rows, count in ((MAX_ROWS, 1), (MAX_ROWS + 1, 0)):
        between = "bitte beachten\n" * (rows - 3)
        text = f"ab 08:14 Kassel-Wilhelmshöhe\nan 10:02 Hamburg Hbf\n{between}ICE 578\n"
        assert len(legs(text, **columns) or ()) == count


STOPS = """Ihre Verbindung
Halt                Datum        Zeit       Gleis   Zug        Reservierung
Oberndorf Hbf       04.06.2026   ab 07:41   ab 5    ER 2210    Wg. 7, Pl. 61+62
Kleinau             04.06.2026   an 09:05   an 12
Kleinau             04.06.2026   ab 09:20   ab 1    R 8 (RB)
Seehafen            04.06.2026   an 10:02   an 2
"""


def test_rows_of_stops_are_the_ends_of_legs_with_platforms_and_seats() -> None:
    columns = {"zug": TEXT, "von": TEXT, "nach": TEXT, "datum": DATE, "abfahrt": TEXT, "ankunft": TEXT}
    seats = {"type": "array", "items": TEXT}
    booked = {"gleis_abfahrt": OR_NULL, "gleis_ankunft": OR_NULL, "wagen": OR_NULL, "plaetze": seats}
    assert [tuple(one.values()) for one in legs(STOPS, **columns, **booked)] == [
        ("ER 2210", "Oberndorf Hbf", "Kleinau", "2026-06-04", "07:41", "09:05", "5", "12", "7", ["61", "62"]),
        ("R 8 (RB)", "Kleinau", "Seehafen", "2026-06-04", "09:20", "10:02", "1", "2", None, []),
    ]


FERRY = """OUTBOUND
Ness Harbour to Port Alva
Departs Sat 9 August 2025, 07:45   Arrives 15:20
Vessel: MV Tern      Cabin: 7114

RETURN
Port Alva to Ness Harbour
Departs Sat 23 August 2025, 21:30  Arrives Sun 24 August 2025, 06:10
Vessel: MV Gull      Cabin: 6022
"""


def test_a_route_precedes_the_days_and_times_of_a_crossing() -> None:
    columns = {"from": TEXT, "to": TEXT, "departure": TEXT, "arrival": TEXT}
    assert [tuple(one.values()) for one in legs(FERRY, **columns)] == [
        ("Ness Harbour", "Port Alva", "07:45", "15:20"),
        ("Port Alva", "Ness Harbour", "21:30", "06:10"),
    ]


def test_a_leg_has_its_direction_and_the_values_with_labels_below_it() -> None:
    direction = {"type": "string", "enum": ["out", "back"]}
    columns = {"direction": direction, "from": TEXT, "to": TEXT, "departure": TEXT, "arrival": TEXT, "vessel": TEXT}
    found = legs(FERRY, **columns)
    assert [(one["direction"], one["vessel"]) for one in found] == [("out", "MV Tern"), ("back", "MV Gull")]


def test_a_number_between_arrows_is_a_train_and_its_seat_is_no_place() -> None:
    text = """IDA · viernes, 17 de octubre de 2025
08:15     → MD 02114 →     11:02      Coche 4   Plaza 07A
Almena                     Lorca
VUELTA · lunes, 20 de octubre de 2025
16:40     → MD 02119 →     19:05      Coche 6   Plaza 11D
Lorca                      Almena
"""
    columns = {"tren": TEXT, "origen": TEXT, "destino": TEXT, "salida": TEXT, "fecha": DATE, "asiento": TEXT}
    assert [tuple(one.values()) for one in legs(text, **columns)] == [
        ("MD 02114", "Almena", "Lorca", "08:15", "2025-10-17", "07A"),
        ("MD 02119", "Lorca", "Almena", "16:40", "2025-10-20", "11D"),
    ]
