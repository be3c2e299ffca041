package zendesk

import (
	"context"
	"fmt"

	"farewell/destination"
	"farewell/migration"
)

// prepareSuspensions encodes a request that suspends users. Only whom we have
// brought for exactly this source id is suspended: whoever was there before
// stays as they are, and so does a person who is registered twice at the source
// and suspended there but once.
func (a *Account) prepareSuspensions(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	userIDs, _ := a.People(in.Entity, in.Page)
	users, err := directory(ctx, in, migration.Users, userIDs)
	if err != nil {
		return destination.Parcel{}, err
	}
	there, err := a.usersByID(ctx, users)
	if err != nil {
		return destination.Parcel{}, err
	}
	parcel := destination.Parcel{Body: []byte(`{"users":[`)}
	for i := range in.Page.Users {
		sourceID := in.Page.Users[i].ID
		record, ok := there[users[sourceID].ID]
		item := migration.Item{SourceID: sourceID, Outcome: migration.Skipped}
		switch of, ours := SourceID(a.prefix, record.ExternalID); {
		case !ok:
			item.Code, item.Text = "user_not_there", "the user is not in the account"
		case !ours:
			item.Code, item.Text = "existing_user", "the user was in the account before, and is left as they are"
		case of != sourceID:
			item.Code, item.Text = "merged_user", "the user stands for another registration of the same person too"
		case record.Suspended:
			item.Outcome, item.TargetID = migration.AlreadyThere, string(record.ID)
		default:
			if len(parcel.Sent) > 0 {
				parcel.Body = append(parcel.Body, ',')
			}
			parcel.Sent = append(parcel.Sent, sourceID)
			o := beginObject(parcel.Body)
			o.id("id", string(record.ID))
			o.flag("suspended", true)
			parcel.Body = o.end()
			continue
		}
		parcel.Decided = append(parcel.Decided, item)
	}
	parcel.Body = append(parcel.Body, "]}"...)
	return parcel, nil
}

// suspensionItems asks the account whether the users are suspended now.
func (a *Account) suspensionItems(ctx context.Context, results []jobResult, sent []string) ([]migration.Item, error) {
	there, err := a.byExternalIDs(ctx, migration.Users, sent)
	if err != nil {
		return nil, fmt.Errorf("see who is suspended: %w", err)
	}
	items := make([]migration.Item, len(sent))
	for i, sourceID := range sent {
		record, ok := there[sourceID]
		switch {
		case ok && record.Suspended:
			items[i] = migration.Item{SourceID: sourceID, Outcome: migration.Created, TargetID: string(record.ID)}
		case i < len(results) && results[i].failed():
			items[i] = results[i].item(sourceID)
		default:
			items[i] = migration.Item{SourceID: sourceID, Outcome: migration.Failed, Code: "Refused", Text: "the job has ended and the user is not suspended"}
		}
	}
	return items, nil
}
