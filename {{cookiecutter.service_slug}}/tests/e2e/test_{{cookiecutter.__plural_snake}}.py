{{ aggregate_part.rest }}


def test_what_follows_shows_in_its_state(client: Client) -> None:
    client.post(PATH, {ID: "a-1", **NEW})
    assert client.get(f"{PATH}/a-1").json() == {
        ID: "a-1",
        "status": "archived",
        "version": 3,
        **NEW,
        "location": "memory:{{ cookiecutter.__plural_snake }}/a-1.json",
    }


def test_what_failed_says_so(client: Client) -> None:
    client.post(PATH, {ID: "a", "data": {"fail": "no paper"}})
    assert client.get(f"{PATH}/a").json()["status"] == "failed"


def test_the_history_holds_all_that_happened_in_order(client: Client) -> None:
    client.post(PATH, {ID: "a", **NEW})
    events = client.get(f"{PATH}/a/history").json()["events"]
    name, happened = "{{ cookiecutter.__aggregate }}", ["Created", "Processed", "Archived"]
    assert [event["type"] for event in events] == [f"{name}{what}" for what in happened]
    assert [event["version"] for event in events] == [1, 2, 3]


def test_a_list_says_what_has_failed_and_where_the_others_are(
    client: Client, bus: MessageBus, listed: list[str]
) -> None:
    client.post(PATH, {ID: "bad", "data": {"fail": "no paper"}})
    catch_up(bus)
    failed = client.get(f"{PATH}?status=failed")
    assert ids(failed) == ["bad"]
    (item,) = failed.json()["items"]
    assert item.keys() == {ID, "status", "version", "created_at", "location"}
    assert (item["status"], item["version"], item["location"]) == ("failed", 2, None)
    archived = client.get(f"{PATH}?status=archived")
    assert ids(archived) == listed
    newest, *_ = archived.json()["items"]
    assert newest["location"] == "memory:{{ cookiecutter.__plural_snake }}/n3.json"
